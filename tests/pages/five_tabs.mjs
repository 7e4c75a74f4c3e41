// A browser restores five tabs at once, and each of them sends its user here.

import assert from 'node:assert/strict';

import { allow, appClient, back, isAt, isRedeemable, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

const TABS = 5;

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person();
  const tabs = await Promise.all(Array.from({ length: TABS }, async () => ({ page: await ann.newPage(), sent: request(client, app) })));
  // All at once: none of these requests carries a cookie yet.
  await Promise.all(tabs.map(({ page, sent }) => page.goto(sent.url)));
  await Promise.all(tabs.map(({ page }) => isAt(page, '/signin')));
  ok('five tabs of a fresh profile show five sign-in pages');

  const codes = new Set();
  for (const { page, sent } of tabs) {
    await page.bringToFront();
    await signIn(page, user);
    await Promise.race([back(page, app), allow(page).then(() => back(page, app))]);
    const answer = app.answers.find(({ state }) => state === sent.state);
    await isRedeemable(answer, client, app, sent);
    codes.add(answer.code);
  }
  assert.equal(codes.size, TABS);
  ok('each of them signs in, and brings its own code to the app');

  const again = request(client, app, { prompt: 'consent' });
  const { page } = tabs[0];
  await page.goto(again.url);
  await isAt(page, '/consent');
  await allow(page);
  await isRedeemable(await back(page, app), client, app, again);
  ok('and the browser is signed in');
  await ann.leave();
}))));
