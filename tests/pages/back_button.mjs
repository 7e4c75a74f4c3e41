// The back button, after signing in and after consenting.

import assert from 'node:assert/strict';

import { allow, appClient, back, exchange, isAt, isRedeemable, issuer, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person();
  const page = await ann.newPage();
  await page.goto(app.origin);
  const sent = request(client, app);
  await page.goto(sent.url);
  await signIn(page, user);
  await isAt(page, '/consent');

  await page.goBack();
  await page.getByRole('heading').first().waitFor();
  if (await page.locator('#email').isVisible()) {
    await signIn(page, user);
  }
  await isAt(page, '/consent');
  ok('going back to the sign-in page after signing in leads on to the consent');

  await allow(page);
  const first = await back(page, app);
  for (const way of ['goBack', 'goBack']) {
    await page[way]();
    await page.waitForLoadState();
    if (page.url().startsWith(issuer) && await page.locator('#email').isVisible()) {
      await signIn(page, user);
      await page.waitForLoadState();
    }
    if (page.url().startsWith(issuer) && await page.locator('#allow').isVisible()) {
      await allow(page);
    }
    const again = await back(page, app);
    assert.equal(again.code, first.code);
    assert.equal(again.state, first.state);
  }
  ok('going back after consenting leads to the app again, with the same code while it is unused');

  await isRedeemable(first, client, app, sent);
  const answers = app.answers.length;
  await page.goBack();
  await page.waitForLoadState();
  if (page.url().startsWith(issuer) && await page.locator('#allow').isVisible()) {
    await allow(page);
    await page.waitForLoadState();
  }
  assert.ok(page.url().startsWith(`${issuer}/`), page.url());
  assert.equal(app.answers.length, answers, 'the app is not sent a code that was used');
  await page.getByRole('heading').first().waitFor();
  assert.equal(await page.locator('form').count(), 0, 'the page offers nothing that cannot work');
  ok(`once the code was used, a page says so: ${await page.getByRole('heading').first().textContent()}`);

  const replayed = await exchange(client, app, first.code, sent.verifier);
  assert.deepEqual([replayed.status, replayed.error], [400, 'invalid_grant']);
  ok('the code itself works once');
  await ann.leave();
}))));
