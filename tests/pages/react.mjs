// react-oidc-context in a single-page app on another origin, with a client that is registered as the README says.

import assert from 'node:assert/strict';

import { withBundle } from './bundle.mjs';
import { allow, isAt, issuer, ok, signIn, story, withClient, withUser } from './common.mjs';

const heading = (page, name) => page.getByRole('heading', { name }).waitFor();
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const session = async (page) => JSON.parse(await page.locator('pre').textContent());

/** Presses a button that renews the session; waits until the app has other tokens than before. */
async function renewed(page, act) {
  const before = await session(page);
  await act();
  await page.waitForFunction((token) => {
    const now = JSON.parse(document.querySelector('pre')?.textContent ?? 'null');
    return now && now.accessToken !== token;
  }, before?.accessToken);
  return [before, await session(page)];
}

await story(({ person }) => withBundle('react.jsx', (app) => withUser({}, (user) => withClient({
  name: 'Photos',
  type: 'public',
  redirectUris: [`${app.origin}/callback`],
  postLogoutRedirectUris: [`${app.origin}/`],
  scopes: ['openid', 'email', 'profile', 'photos:read'],
}, async (client) => {
  app.settings = { issuer, clientId: client.clientId };
  const ann = await person();
  const page = await ann.newPage();
  await page.goto(app.origin);
  await heading(page, 'Signed out');
  await press(page, 'Sign in');
  await isAt(page, '/signin');
  await signIn(page, user);
  await isAt(page, '/consent');
  await allow(page);
  await heading(page, 'Signed in');
  const { profile } = await session(page);
  assert.deepEqual([profile.sub, profile.name, profile.email], [user.id, 'Ann Example', user.email]);
  ok('react-oidc-context signs a user in from another origin');

  const requests = [];
  page.on('request', (sent) => requests.push(new URL(sent.url()).pathname));
  const [before, after] = await renewed(page, () => press(page, 'Renew'));
  assert.notEqual(after.refreshToken, before.refreshToken);
  assert.equal(after.profile.sub, user.id);
  assert.ok(!requests.includes('/oauth2/authorize'), requests.join(' '));
  ok('it renews by its refresh token, and opens no frame for that');

  const opened = page.waitForEvent('popup');
  const [, third] = await renewed(page, async () => {
    await press(page, 'Sign in by popup');
    const popup = await opened;
    const closed = popup.waitForEvent('close');
    // A public client on a loopback host is anybody's: the user may be asked again.
    await Promise.race([closed, popup.locator('#allow').click().then(() => closed)]);
  });
  assert.equal(third.profile.sub, user.id);
  ok('a popup of the same user closes itself, and the app has its tokens');

  await press(page, 'Sign out');
  await page.waitForURL((url) => url.href === `${app.origin}/` || url.pathname === new URL(`${issuer}/signout`).pathname);
  if (await page.locator('#signout').isVisible()) {
    await page.locator('#signout').click();
  }
  await heading(page, 'Signed out');
  assert.equal(new URL(page.url()).origin, app.origin);
  assert.equal(await session(page), null);
  ok('signing out ends the session here too, and leads back');

  const fresh = page.waitForEvent('popup');
  await press(page, 'Sign in by popup');
  const popup = await fresh;
  await isAt(popup, '/signin');
  const closed = popup.waitForEvent('close');
  await signIn(popup, user);
  await Promise.race([closed, popup.locator('#allow').click().then(() => closed)]);
  await heading(page, 'Signed in');
  ok('a popup signs in from the beginning, with the password');
  assert.equal(await page.getByRole('alert').count(), 0);
  await ann.leave();
}))));
