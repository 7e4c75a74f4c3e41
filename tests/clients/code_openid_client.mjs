// Users' sign-in with openid-client, all of its checks on: both client types, query and form_post, refresh,
// revocation, introspection and logout. The browser is played by forms and cookies.

import assert from 'node:assert/strict';

import * as client from 'openid-client';

import { Browser } from './browser.mjs';
import { TIMEOUT, issuer, ok, withClient, withUser } from './common.mjs';

const APP = 'https://notes.example.com';
const REDIRECT = `${APP}/cb`;
const SCOPE = 'openid profile email offline_access';
const insecure = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];

function configure({ clientId, clientSecret }, members) {
  const authentication = clientSecret ? client.ClientSecretPost(clientSecret) : client.None();
  const execute = [...insecure, client.enableNonRepudiationChecks];
  return client.discovery(new URL(issuer), clientId, members, authentication, { execute, timeout: TIMEOUT });
}

const notes = (members) => ({
  name: 'Notes',
  redirectUris: [REDIRECT],
  postLogoutRedirectUris: [`${APP}/bye`],
  scopes: SCOPE.split(' '),
  ...members,
});

/** Sends the user to the server; gives the page or the redirect that the browser ends with. */
async function begin(config, browser, user, parameters = {}) {
  const remembered = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    idTokenExpected: true,
  };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope: SCOPE,
    code_challenge: await client.calculatePKCECodeChallenge(remembered.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: remembered.expectedState,
    nonce: remembered.expectedNonce,
    ...parameters,
  });
  return { page: await browser.authorize(url.href, user), remembered };
}

/** What the app receives of a page that posts the answer to it. */
function posted(page) {
  assert.equal(page.status, 200);
  assert.match(page.body, new RegExp(`<form[^>]*action="${REDIRECT.replaceAll('.', '\\.')}"`));
  const fields = [...page.body.matchAll(/<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
  return new Request(REDIRECT, { method: 'POST', body: new URLSearchParams(fields) });
}

async function flow(kind, user, responseMode) {
  const members = notes({ type: kind, ...(kind === 'private' && { tokenEndpointAuthMethod: 'client_secret_post' }) });
  await withClient(members, async (registered) => {
    const config = await configure(registered);
    const browser = new Browser();
    const { page, remembered } = await begin(config, browser, user, responseMode && { response_mode: responseMode });
    const answer = responseMode === 'form_post' ? posted(page) : new URL(page.location);
    const tokens = await client.authorizationCodeGrant(config, answer, { ...remembered, maxAge: 60 });
    const claims = tokens.claims();
    assert.equal(claims.sub, user.id);
    assert.equal(claims.iss, issuer);
    assert.equal(claims.aud, registered.clientId);
    assert.deepEqual([claims.name, claims.email, claims.email_verified], ['Ann Example', user.email, true]);
    const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
    assert.equal(info.email, user.email);
    ok(`openid-client signed a user in to a ${kind} client by ${responseMode ?? 'query'}, state, nonce, iss and signature checked`);

    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.notEqual(refreshed.access_token, tokens.access_token);
    if (refreshed.id_token) {
      assert.equal(refreshed.claims().auth_time, claims.auth_time);
    }
    await client.tokenRevocation(config, refreshed.refresh_token);
    await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: 'invalid_grant' });
    await assert.rejects(client.fetchUserInfo(config, refreshed.access_token, claims.sub));
    if (kind === 'private') {
      assert.deepEqual({ ...(await client.tokenIntrospection(config, refreshed.access_token)) }, { active: false });
    }
    ok(`the ${kind} client refreshed its tokens and revoked them`);
  });
}

/** What an app asks for claim by claim, with nothing in the ID token that it did not ask for. */
async function claimByClaim(user) {
  await withClient(notes({ type: 'public', idTokenClaims: 'none' }), async (registered) => {
    const config = await configure(registered);
    assert.equal(config.serverMetadata().claims_parameter_supported, true);
    const asked = { id_token: { email: { essential: true } }, userinfo: { given_name: null } };
    const parameters = { scope: 'openid', claims: JSON.stringify(asked) };
    const { page, remembered } = await begin(config, new Browser(), user, parameters);
    const tokens = await client.authorizationCodeGrant(config, new URL(page.location), remembered);
    const claims = tokens.claims();
    assert.deepEqual([claims.email, claims.email_verified, claims.name], [user.email, undefined, undefined]);
    const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
    assert.deepEqual({ ...info }, { sub: user.id, given_name: 'Ann' });
    ok('the claims parameter asks for one claim in the ID token and another at userinfo');
  });
}

async function silence(user) {
  await withClient(notes({ type: 'public' }), async (registered) => {
    const config = await configure(registered);
    const browser = new Browser();
    const { page, remembered } = await begin(config, browser, user, { prompt: 'none' });
    const answer = client.authorizationCodeGrant(config, new URL(page.location), remembered);
    await assert.rejects(answer, { error: 'login_required' });

    const first = await begin(config, browser, user);
    await client.authorizationCodeGrant(config, new URL(first.page.location), first.remembered);
    const second = await begin(config, browser, user, { prompt: 'none' });
    const tokens = await client.authorizationCodeGrant(config, new URL(second.page.location), second.remembered);
    ok('prompt=none is login_required first, and a code once the user is signed in');

    const logout = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: `${APP}/bye`,
      state: 'later',
    });
    let left = await browser.get(logout.href);
    if (left.body.includes('id="signout"')) {
      left = await browser.submit(left);
    }
    assert.equal(left.location, `${APP}/bye?state=later`);
    const third = await begin(config, browser, user, { prompt: 'none' });
    const last = client.authorizationCodeGrant(config, new URL(third.page.location), third.remembered);
    await assert.rejects(last, { error: 'login_required' });
    ok('its logout URL signs the user out, and leads back with the state');
  });
}

/** What the server does not do, it neither advertises nor half does. */
async function absent(user) {
  await withClient(notes({ type: 'private' }), async (registered) => {
    const config = await configure(registered);
    const metadata = config.serverMetadata();
    assert.ok(!metadata.response_modes_supported.some((mode) => mode.endsWith('jwt')), 'JARM is not advertised');
    assert.ok(metadata.response_modes_supported.includes('form_post'));
    assert.deepEqual(metadata.response_types_supported, ['code']);
    for (const [parameters, error] of [
      [{ response_mode: 'jwt' }, 'invalid_request'],
      [{ response_type: 'code id_token' }, 'unsupported_response_type'],
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ request: 'e30.e30.' }, 'request_not_supported'],
      [{ request_uri: 'https://notes.example.com/request' }, 'request_uri_not_supported'],
    ]) {
      const { page, remembered } = await begin(config, new Browser(), user, parameters);
      const answer = new URL(page.location);
      assert.equal(answer.origin + answer.pathname, REDIRECT);
      const { error: found, state, iss } = Object.fromEntries(answer.searchParams.size ? answer.searchParams : new URLSearchParams(answer.hash.slice(1)));
      assert.deepEqual([found, state, iss], [error, remembered.expectedState, issuer], JSON.stringify(parameters));
    }
    ok('JARM, hybrid and implicit answers, plain PKCE and request objects are refused, with state and iss');
  });
}

await withUser({}, async (user) => {
  for (const kind of ['public', 'private']) {
    for (const responseMode of [undefined, 'query', 'form_post']) {
      await flow(kind, user, responseMode);
    }
  }
  await claimByClaim(user);
  await silence(user);
  await absent(user);
});
