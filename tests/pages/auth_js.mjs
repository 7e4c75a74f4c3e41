// Auth.js, as Next.js and SvelteKit have it: its own pages and sessions, with this server as its OpenID provider.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { allow, isAt, issuer, ok, signIn, story, withClient, withUser } from './common.mjs';
import { authJs } from './packages.mjs';

const { Auth } = await authJs();

/** A server around Auth.js, and an outline of a page that greets who has signed in. */
async function withAuthJs(use) {
  const errors = [];
  const app = {};
  const server = createServer(async (incoming, outgoing) => {
    try {
      await answer(app, errors, incoming, outgoing);
    } catch (error) {
      errors.push(error);
      outgoing.writeHead(500).end();
    }
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  app.origin = `http://127.0.0.1:${server.address().port}`;
  try {
    await use(app);
    assert.deepEqual(errors, []);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function answer(app, errors, incoming, outgoing) {
  if (!incoming.url.startsWith('/auth')) {
    outgoing.writeHead(200, { 'content-type': 'text/html' });
    outgoing.end('<!doctype html><html lang="en"><title>Press</title><h1>Press</h1>');
    return;
  }
  const chunks = [];
  for await (const chunk of incoming) {
    chunks.push(chunk);
  }
  const body = incoming.method === 'POST' ? Buffer.concat(chunks) : undefined;
  const request = new Request(new URL(incoming.url, app.origin), { method: incoming.method, headers: incoming.headers, body });
  const response = await Auth(request, {
    providers: [{
      id: 'identety',
      name: 'Identety',
      type: 'oidc',
      issuer,
      clientId: app.client.clientId,
      clientSecret: app.client.clientSecret,
      checks: ['pkce', 'state', 'nonce'],
    }],
    secret: app.secret,
    basePath: '/auth',
    trustHost: true,
    logger: { error: (error) => errors.push(error), warn() {}, debug() {} },
  });
  outgoing.writeHead(response.status, [...response.headers].flat());
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}

/** The session as the app has it. */
async function session(page) {
  return page.evaluate(async () => (await fetch('/auth/session')).json());
}

await story(({ person }) => withAuthJs((app) => withUser({}, (user) => withClient({
  name: 'Press',
  type: 'private',
  redirectUris: [`${app.origin}/auth/callback/identety`],
  scopes: ['openid', 'profile', 'email'],
}, async (client) => {
  Object.assign(app, { client, secret: randomBytes(32).toString('base64url') });
  const ann = await person();
  const page = await ann.newPage();
  await page.goto(`${app.origin}/auth/signin?callbackUrl=${app.origin}/`);
  await page.getByRole('button', { name: 'Identety' }).click();
  await isAt(page, '/signin');
  await signIn(page, user);
  await isAt(page, '/consent');
  await allow(page);
  await page.getByRole('heading', { name: 'Press' }).waitFor();
  ok('Auth.js sends its user here, and takes the code with PKCE, state, nonce and client_secret_basic');

  const { user: shown, expires } = await session(page);
  assert.ok(new Date(expires) > new Date(), expires);
  assert.deepEqual([shown?.name, shown?.email], ['Ann Example', user.email]);
  ok('its session has the name and the email address, which it takes from the ID token');

  await page.goto(`${app.origin}/auth/signout?callbackUrl=${app.origin}/`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Press' }).waitFor();
  assert.equal(await session(page), null);
  await page.goto(`${app.origin}/auth/signin?callbackUrl=${app.origin}/`);
  await page.getByRole('button', { name: 'Identety' }).click();
  await page.getByRole('heading', { name: 'Press' }).waitFor();
  assert.deepEqual((await session(page)).user, shown);
  ok('after signing out of the app alone, signing in again asks nothing');
  await ann.leave();
}))));
