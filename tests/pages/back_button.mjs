// The back button, after signing in and after consenting.

import assert from 'node:assert/strict';

import { allow, appClient, back, exchange, isAt, isRedeemable, issuer, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

/** Does whatever the page where the browser is asks for, until there is nothing to do. */
async function onwards(page, user) {
  await page.waitForLoadState();
  if (await page.locator('#email').isVisible()) {
    await signIn(page, user);
    await page.waitForLoadState();
  }
  if (await page.locator('#allow').isVisible()) {
    await allow(page);
    await page.waitForLoadState();
  }
}

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person();
  const page = await ann.newPage();
  await page.goto(app.origin);
  await page.goto(request(client, app).url);
  await signIn(page, user);
  await isAt(page, '/consent');
  await page.goBack();
  await isAt(page, '/consent');
  await allow(page);
  await back(page, app);
  ok('going back to the sign-in page after signing in leads on to the consent');

  await page.goto(app.origin);
  const sent = request(client, app, { prompt: 'login consent' });
  await page.goto(sent.url);
  await signIn(page, user);
  await isAt(page, '/consent');
  await allow(page);
  const first = await back(page, app);
  for (const where of ['the consent page', 'the sign-in page']) {
    await page.goBack();
    await onwards(page, user);
    const again = await back(page, app);
    assert.deepEqual([again.code, again.state], [first.code, first.state], where);
  }
  ok('going back after consenting leads to the app again, with the same code while it is unused');

  await page.goForward();
  await back(page, app);
  await isRedeemable(first, client, app, sent);
  const answers = app.answers.length;
  await page.goBack();
  await onwards(page, user);
  assert.ok(page.url().startsWith(`${issuer}/`), page.url());
  assert.equal(app.answers.length, answers, 'the app is not sent a code that was used');
  const heading = await page.getByRole('heading').first().textContent();
  assert.equal(await page.locator('form').count(), 0, 'the page offers nothing that cannot work');
  ok(`once the code was used, a page says so: ${heading}`);

  const replayed = await exchange(client, app, first.code, sent.verifier);
  assert.deepEqual([replayed.status, replayed.error], [400, 'invalid_grant']);
  ok('the code itself works once');
  await ann.leave();
}))));
