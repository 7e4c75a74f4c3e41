// How a session ends, and what a client can ask of it.

import assert from 'node:assert/strict';

import { allow, appClient, back, credentials, exchange, isAt, isCode, isRedeemable, issuer, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person();
  const page = await ann.newPage();
  const go = async (parameters) => {
    const sent = request(client, app, parameters);
    await page.goto(sent.url);
    return sent;
  };
  const first = await go();
  await signIn(page, user);
  await allow(page);
  const { refresh_token: refreshToken } = await isRedeemable(await back(page, app), client, app, first);

  const silent = await go({ prompt: 'none' });
  isCode(await back(page, app), silent);
  ok('who is signed in and has consented is asked nothing, and prompt=none works');

  for (const parameters of [{ prompt: 'login' }, { prompt: 'select_account' }]) {
    const sent = await go(parameters);
    await isAt(page, '/signin');
    await signIn(page, user);
    isCode(await back(page, app), sent);
  }
  const consent = await go({ prompt: 'consent' });
  await isAt(page, '/consent');
  await allow(page);
  isCode(await back(page, app), consent);
  ok('prompt=login and select_account ask for the password again, prompt=consent for the consent');

  await ann.context.clearCookies();
  await go();
  await isAt(page, '/signin');
  ok('without its cookie nobody is signed in');
  const second = request(client, app);
  await page.goto(second.url);
  await signIn(page, user);
  isCode(await back(page, app), second);

  // The page of a tab that was left open, while another one signs out.
  await go({ prompt: 'consent' });
  await isAt(page, '/consent');
  const other = await ann.newPage();
  await other.goto(`${issuer}/signout`);
  await other.locator('#signout').click();
  await other.getByText('signed out').first().waitFor();
  await other.goto(`${issuer}/signout`);
  await other.getByText('signed out').first().waitFor();
  assert.equal(await other.locator('#signout').count(), 0);
  const answers = app.answers.length;
  await page.bringToFront();
  await allow(page);
  await page.waitForLoadState();
  assert.ok(page.url().startsWith(`${issuer}/`), page.url());
  assert.equal(app.answers.length, answers);
  ok('signed out in one tab, the consent that is still open in another gives no code');

  const third = await go();
  await isAt(page, '/signin');
  await signIn(page, user);
  isCode(await back(page, app), third);
  ok('the next request asks to sign in, and then works');

  const response = await fetch(`${issuer}/oauth2/token`, {
    method: 'POST',
    headers: credentials(client),
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
  });
  const body = await response.json();
  // The cookie was lost before: that session, and what was granted in it, go on until they end by themselves.
  assert.equal(response.status, 200, JSON.stringify(body));

  const answer = await back(page, app);
  const tokens = await exchange(client, app, answer.code, third.verifier);
  await page.goto(`${issuer}/signout`);
  await page.locator('#signout').click();
  await page.getByText('signed out').first().waitFor();
  const refused = await fetch(`${issuer}/oauth2/token`, {
    method: 'POST',
    headers: credentials(client),
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token }),
  });
  assert.deepEqual([refused.status, (await refused.json()).error], [400, 'invalid_grant']);
  const userinfo = await fetch(`${issuer}/oauth2/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  assert.equal(userinfo.status, 401);
  ok('signing out ends what was granted without offline_access, refresh token and access token');
  await ann.leave();
}))));
