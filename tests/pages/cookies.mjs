// What the browser keeps, and what a stranger's browser cannot do.

import assert from 'node:assert/strict';

import { allow, appClient, back, isAt, isCode, issuer, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

const isSecure = issuer.startsWith('https:');
const values = (cookies) => Object.fromEntries(cookies.map(({ name, value }) => [name, value]));

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person();
  const page = await ann.newPage();
  const sent = request(client, app);
  await page.goto(sent.url);
  await isAt(page, '/signin');
  const before = values(await ann.cookies());
  await signIn(page, user);
  await isAt(page, '/consent');
  const cookies = await ann.cookies();
  const session = cookies.find(({ name }) => !(name in before));
  assert.ok(session, 'signing in sets a cookie that was not there');
  for (const cookie of cookies) {
    assert.equal(cookie.httpOnly, true, cookie.name);
    assert.equal(cookie.sameSite, 'Lax', cookie.name);
    assert.equal(cookie.path, '/', cookie.name);
    assert.equal(cookie.secure, isSecure, cookie.name);
    assert.equal(cookie.name.startsWith('__Host-'), isSecure, cookie.name);
    assert.match(cookie.value, /^[\w-]{43}(\.\d+)?$/, cookie.name);
  }
  assert.equal(await page.evaluate(() => document.cookie), '');
  ok('cookies are HttpOnly, SameSite=Lax and for this host; a script sees none');

  await allow(page);
  isCode(await back(page, app), sent);
  const again = request(client, app, { prompt: 'login' });
  await page.goto(again.url);
  await signIn(page, user);
  isCode(await back(page, app), again);
  const renewed = values(await ann.cookies());
  assert.notEqual(renewed[session.name], session.value);
  ok('signing in again gives another session cookie');

  await page.goto(`${issuer}/signout`);
  await page.locator('#signout').click();
  await page.getByText('signed out').first().waitFor();
  assert.equal(values(await ann.cookies())[session.name], undefined);
  ok('signing out takes the session cookie away');

  // The old cookies, brought back: the sessions that they named are gone.
  for (const value of [session.value, renewed[session.name]]) {
    await ann.context.addCookies([{ ...session, value }]);
    await page.goto(request(client, app).url);
    await isAt(page, '/signin');
  }
  ok('a session cookie from before names nothing any more');

  const planted = 'A'.repeat(43);
  await ann.context.addCookies([{ ...session, value: planted }]);
  const fixed = request(client, app);
  await page.goto(fixed.url);
  await signIn(page, user);
  isCode(await back(page, app), fixed);
  assert.notEqual(values(await ann.cookies())[session.name], planted);
  ok('a session cookie that somebody planted is not the one after signing in');

  const open = request(client, app, { prompt: 'login' });
  await page.goto(open.url);
  await isAt(page, '/signin');
  const eve = await person();
  const elsewhere = await eve.newPage();
  const response = await elsewhere.goto(page.url());
  assert.equal(response.status(), 400);
  assert.equal(await elsewhere.locator('form').count(), 0);
  await elsewhere.getByRole('heading').first().waitFor();
  ok('the address of somebody else\'s sign-in page is of no use in another browser');
  await eve.leave();
  await ann.leave();
}))));
