// A browser that strangers try to lock out: the account knows it, so they cannot. Another browser becomes known by a
// one-time link of an administrator.

import assert from 'node:assert/strict';

import { admin, allow, appClient, back, inspect, isAt, isRedeemable, issuer, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

const DEVICE = 'identety-device';

/** Fails to sign in; gives the status. */
async function tries(page, user, password) {
  const answered = page.waitForResponse((response) => response.request().method() === 'POST');
  await signIn(page, user, password);
  return (await answered).status();
}

async function deviceOf(person) {
  return (await person.cookies()).find((cookie) => cookie.name.endsWith(DEVICE));
}

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person();
  const own = await ann.newPage();
  const first = request(client, app);
  await own.goto(first.url);
  await signIn(own, user);
  await allow(own);
  await isRedeemable(await back(own, app), client, app, first);
  const device = await deviceOf(ann);
  assert.ok(device.httpOnly && device.sameSite === 'Lax', JSON.stringify(device));
  assert.ok(device.expires - Date.now() / 1000 > 179 * 86400, 'it outlives the browser');
  ok('a browser is known after a sign-in');

  const stranger = await person();
  const theirs = await stranger.newPage();
  await theirs.goto(request(client, app).url);
  for (let n = 0; n < 10; n += 1) {
    assert.equal(await tries(theirs, user, `guess ${n}`), 400);
  }
  assert.equal(await tries(theirs, user), 429, 'even the right password');
  await inspect(theirs, 'too-many-attempts');
  assert.equal(await deviceOf(stranger), undefined);
  ok('a stranger at the same address gets ten guesses');

  await own.goto(`${issuer}/signout`);
  await own.locator('#signout').click();
  await own.getByText('signed out').first().waitFor();
  assert.equal((await deviceOf(ann)).value, device.value, 'a sign-out leaves it');
  const second = request(client, app);
  await own.goto(second.url);
  assert.equal(await tries(own, user, 'a slip of the finger'), 400);
  await signIn(own, user);
  await isRedeemable(await back(own, app), client, app, second);
  ok('the owner signs in at once in the browser that is known');

  const { url } = await admin('POST', `/users/${user.id}/browser-links`, undefined, 201);
  const elsewhere = await person();
  const page = await elsewhere.newPage();
  await page.goto(url);
  await inspect(page, 'known-browser');
  assert.equal(await deviceOf(elsewhere), undefined, 'looking at the page changes nothing');
  await page.locator('#known-browser').click();
  await page.getByRole('heading', { name: 'This browser is known now' }).waitFor();
  await inspect(page, 'known-browser-done');
  const third = request(client, app);
  await page.goto(third.url);
  await isAt(page, '/signin');
  await signIn(page, user);
  await isRedeemable(await back(page, app), client, app, third);
  ok('a one-time link makes another browser known, in which the password is still asked for');

  const again = await page.goto(url);
  assert.equal(again.status(), 400);
  await inspect(page, 'known-browser-over');
  ok('the link works once');
  for (const one of [ann, stranger, elsewhere]) {
    await one.leave();
  }
}))));
