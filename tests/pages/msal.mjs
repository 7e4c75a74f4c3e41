// msal-browser, which many single-page apps have: it wants https, answers in the fragment, and always asks for offline_access.

import assert from 'node:assert/strict';

import { withBundle } from './bundle.mjs';
import { behindTls } from './tls.mjs';

const server = await behindTls();
// The stories read these when they are loaded. The certificate of the server is its own.
Object.assign(process.env, { IDENTETY_URL: server.issuer, IDENTETY_ADMIN: server.admin, NODE_TLS_REJECT_UNAUTHORIZED: '0' });
process.removeAllListeners('warning');
const { allow, isAt, issuer, ok, signIn, story, withClient, withUser } = await import('./common.mjs');

const heading = (page, name) => page.getByRole('heading', { name }).waitFor();
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const shown = async (page) => JSON.parse(await page.locator('pre').textContent());

async function use(ann, app, user) {
  const page = await ann.newPage();
  await page.goto(app.origin);
  await heading(page, 'Signed out');
  const asked = page.waitForRequest((sent) => sent.url().startsWith(`${issuer}/oauth2/authorize`));
  await press(page, 'Sign in');
  const { searchParams } = new URL((await asked).url());
  assert.equal(searchParams.get('response_mode'), 'fragment');
  assert.ok(searchParams.get('scope').split(' ').includes('offline_access'), searchParams.get('scope'));
  await isAt(page, '/signin');
  await signIn(page, user);
  await isAt(page, '/consent');
  await allow(page);
  await heading(page, 'Signed in');
  const account = await shown(page);
  assert.equal(account.claims.sub, user.id);
  ok('msal-browser signs a user in, by an answer in the fragment');
  assert.equal(account.name, 'Ann Example');
  ok('and knows the name');

  await press(page, 'Renew');
  await heading(page, 'Renewed');
  assert.equal((await shown(page)).claims.sub, user.id);
  ok('it renews its tokens');

  // By itself the library says neither who it is nor whose session is to end: the user is asked, and led nowhere.
  await press(page, 'Sign out');
  await isAt(page, '/signout');
  await page.locator('#signout').click();
  await page.getByText('signed out').first().waitFor();
  assert.equal(new URL(page.url()).origin, issuer);
  await page.goto(app.origin);
  await heading(page, 'Signed out');
  await press(page, 'Sign in');
  await isAt(page, '/signin');
  ok('its sign-out ends the session here too, after a question');

  await signIn(page, user);
  await Promise.race([heading(page, 'Signed in'), allow(page).then(() => heading(page, 'Signed in'))]);
  await press(page, 'Sign out with a hint');
  await page.waitForURL((url) => url.origin === app.origin);
  await heading(page, 'Signed out');
  await press(page, 'Sign in');
  await isAt(page, '/signin');
  ok('with the ID token as a hint nothing is asked, and the user is back at the app');
}

try {
  await story(({ person }) => withBundle('msal.js', (app) => withUser({}, (user) => withClient({
    name: 'Ledger',
    type: 'public',
    redirectUris: [`${app.origin}/`],
    postLogoutRedirectUris: [`${app.origin}/`],
    scopes: ['openid', 'profile', 'email'],
    allowedCorsOrigins: [app.origin],
  }, async (client) => {
    app.settings = { issuer, clientId: client.clientId };
    const ann = await person({ ignoreHTTPSErrors: true });
    await use(ann, app, user);
    await ann.leave();
  }))));
} finally {
  await server.stop();
}
