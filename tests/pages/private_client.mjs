// A server-side web app with a secret: openid-client in a small server with sessions, a real browser before it.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import { TIMEOUT, allow, isAt, issuer, ok, signIn, story, withClient, withUser } from './common.mjs';
import { openid } from './packages.mjs';

const SCOPE = 'openid profile email offline_access';

const page = (title, ...links) => `<!doctype html><html lang="en"><title>Notes</title><h1>${title}</h1>
${links.map((link) => `<p><a href="/${link}">${link}</a></p>`).join('')}`;

/** The app. What it remembers of a browser is in `sessions`, under a cookie of its own. */
class Notes {
  sessions = new Map();
  errors = [];

  async start() {
    this.server = createServer((incoming, outgoing) => {
      this.answer(incoming, outgoing).catch((error) => {
        this.errors.push(error);
        outgoing.writeHead(500, { 'content-type': 'text/html' });
        outgoing.end(page(`Error: ${error.code ?? error.message}`));
      });
    });
    await new Promise((resolve) => { this.server.listen(0, '127.0.0.1', resolve); });
    this.origin = `http://127.0.0.1:${this.server.address().port}`;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  async configure({ clientId, clientSecret }) {
    const execute = issuer.startsWith('http:') ? [openid.allowInsecureRequests] : [];
    const options = { execute: [...execute, openid.enableNonRepudiationChecks], timeout: TIMEOUT };
    const authentication = openid.ClientSecretBasic(clientSecret);
    this.config = await openid.discovery(new URL(issuer), clientId, undefined, authentication, options);
  }

  async answer(incoming, outgoing) {
    const url = new URL(incoming.url, this.origin);
    const cookie = incoming.headers.cookie?.match(/notes=([\w-]+)/)?.[1];
    const id = this.sessions.has(cookie) ? cookie : randomUUID();
    const session = this.sessions.get(id) ?? {};
    this.sessions.set(id, session);
    const show = (...content) => {
      outgoing.writeHead(200, { 'content-type': 'text/html', 'set-cookie': `notes=${id}; HttpOnly; SameSite=Lax; Path=/` });
      outgoing.end(page(...content));
    };
    const send = (to) => {
      outgoing.writeHead(303, { location: String(to), 'set-cookie': `notes=${id}; HttpOnly; SameSite=Lax; Path=/` });
      outgoing.end();
    };
    switch (url.pathname) {
      case '/': return session.user ? show(`Hello ${session.user.name}`, 'refresh', 'sign-out') : show('Notes', 'sign-in');
      case '/sign-in': return send(await this.signIn(session));
      case '/cb': await this.takeCode(session, url); return send('/');
      case '/refresh': await this.refresh(session); return send('/');
      case '/sign-out': return send(this.signOut(session));
      case '/bye': {
        const isOwn = url.searchParams.get('state') === session.state;
        this.sessions.delete(id);
        return show(isOwn ? 'Bye' : 'Somebody else signed out');
      }
      default: outgoing.writeHead(404); return outgoing.end();
    }
  }

  async signIn(session) {
    session.verifier = openid.randomPKCECodeVerifier();
    session.state = openid.randomState();
    session.nonce = openid.randomNonce();
    return openid.buildAuthorizationUrl(this.config, {
      redirect_uri: `${this.origin}/cb`,
      scope: SCOPE,
      code_challenge: await openid.calculatePKCECodeChallenge(session.verifier),
      code_challenge_method: 'S256',
      state: session.state,
      nonce: session.nonce,
    });
  }

  async takeCode(session, url) {
    session.tokens = await openid.authorizationCodeGrant(this.config, url, {
      pkceCodeVerifier: session.verifier,
      expectedState: session.state,
      expectedNonce: session.nonce,
      idTokenExpected: true,
    });
    const { sub } = session.tokens.claims();
    session.user = await openid.fetchUserInfo(this.config, session.tokens.access_token, sub);
  }

  async refresh(session) {
    const before = session.tokens;
    const after = await openid.refreshTokenGrant(this.config, before.refresh_token);
    session.refreshes = [...(session.refreshes ?? []), [before, after]];
    const idToken = after.id_token ?? before.id_token;
    session.tokens = after;
    session.idToken = idToken;
    session.user = await openid.fetchUserInfo(this.config, after.access_token, session.user.sub);
  }

  signOut(session) {
    session.state = openid.randomState();
    return openid.buildEndSessionUrl(this.config, {
      id_token_hint: session.idToken ?? session.tokens.id_token,
      post_logout_redirect_uri: `${this.origin}/bye`,
      state: session.state,
    });
  }
}

async function use(person, notes, user) {
  const tab = await person.newPage();
  const heading = (name) => tab.getByRole('heading', { name }).waitFor();
  const follow = (name) => tab.getByRole('link', { name }).click();
  await tab.goto(notes.origin);
  await follow('sign-in');
  await isAt(tab, '/signin');
  await signIn(tab, user);
  await isAt(tab, '/consent');
  await allow(tab);
  await heading('Hello Ann Example');
  const [session] = notes.sessions.values();
  assert.equal(session.user.sub, user.id);
  assert.equal(session.user.email, user.email);
  assert.equal(session.user.email_verified, true);
  assert.equal(session.tokens.claims().nonce, session.nonce);
  ok('a private client signs its user in with PKCE, state, nonce and client_secret_basic; the ID token is verified');

  await follow('refresh');
  await heading('Hello Ann Example');
  const [[before, after]] = session.refreshes;
  assert.notEqual(after.access_token, before.access_token);
  assert.notEqual(after.refresh_token, before.refresh_token);
  ok('it refreshes its tokens, and userinfo answers for the new one');

  await tab.goto(`${notes.origin}/sign-in`);
  await heading('Hello Ann Example');
  ok('a second sign-in of the same user asks nothing');

  await follow('sign-out');
  if (await tab.locator('#signout').isVisible()) {
    await tab.locator('#signout').click();
  }
  await heading('Bye');
  ok('signing out at the server leads back to the app, with its state');

  await tab.goto(`${notes.origin}/sign-in`);
  await isAt(tab, '/signin');
  await tab.locator('#email').waitFor();
  ok('the next sign-in asks who it is');
  assert.deepEqual(notes.errors, []);
}

await story(async ({ person }) => {
  const notes = new Notes();
  await notes.start();
  const members = {
    name: 'Notes',
    type: 'private',
    redirectUris: [`${notes.origin}/cb`],
    postLogoutRedirectUris: [`${notes.origin}/bye`],
    scopes: SCOPE.split(' '),
  };
  try {
    await withUser({}, (user) => withClient(members, async (client) => {
      await notes.configure(client);
      const ann = await person();
      await use(ann, notes, user);
      await ann.leave();
    }));
  } finally {
    notes.stop();
  }
});
