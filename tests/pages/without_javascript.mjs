// Everything once without JavaScript.

import assert from 'node:assert/strict';

import { allow, appClient, back, isAt, isCode, isRedeemable, issuer, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person({ javaScriptEnabled: false });
  const page = await ann.newPage();
  const sent = request(client, app, { nonce: 'n-0S6_WzA2Mj' });
  await page.goto(sent.url);
  await signIn(page, user, 'wrong');
  await page.getByRole('alert').waitFor();
  await signIn(page, user);
  await isAt(page, '/consent');
  await allow(page);
  const tokens = await isRedeemable(await back(page, app), client, app, sent);
  ok('signing in, after a wrong password, and consenting');

  const posted = request(client, app, { response_mode: 'form_post' });
  await page.goto(posted.url);
  await page.getByRole('button').click();
  const answer = await back(page, app);
  assert.equal(answer.method, 'POST');
  isCode(answer, posted);
  ok('form_post has a button');

  const logout = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: `${app.origin}/bye`, state: 'see you' });
  await page.goto(`${issuer}/oauth2/logout?${logout}`);
  if (await page.locator('#signout').isVisible()) {
    await page.locator('#signout').click();
  }
  await page.waitForURL((url) => url.origin === app.origin);
  const { pathname, searchParams } = new URL(page.url());
  assert.deepEqual([pathname, ...searchParams], ['/bye', ['state', 'see you']]);
  ok('logout leads back to the app');

  const again = request(client, app);
  await page.goto(again.url);
  await isAt(page, '/signin');
  await signIn(page, user);
  isCode(await back(page, app), again);
  await page.goto(`${issuer}/signout`);
  await page.locator('#signout').click();
  await page.getByText('signed out').first().waitFor();
  ok('signing in again, and signing out by hand');
  await ann.leave();
}))));
