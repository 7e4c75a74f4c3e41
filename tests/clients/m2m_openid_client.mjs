// Machine to machine with openid-client: discovers the server, fetches tokens, and lets jose, oauth4webapi
// and aws-jwt-verify judge them.
//
// IDENTETY_URL is the issuer, IDENTETY_ADMIN the path of admin.json.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { JwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';

import { TIMEOUT, admin, issuer, ok, withClient } from './common.mjs';

const ORDERS = 'https://orders.example.com';
const BILLING = 'https://billing.example.com';
const ALGORITHMS = ['RS256', 'ES256'];

// Plain http is for loopback alone; the libraries want to be told.
const isPlain = issuer.startsWith('http:');
const insecure = isPlain ? { execute: [client.allowInsecureRequests] } : {};

/** Runs `use` with a registered m2m client. */
const withM2m = (members, use) => withClient({
  name: 'openid-client',
  type: 'm2m',
  scopes: ['orders:read', 'orders:write'],
  audiences: [ORDERS, BILLING],
  ...members,
}, use);

/** What openid-client knows after discovery by `algorithm`. */
function discover({ clientId, clientSecret }, { algorithm = 'oidc', method = client.ClientSecretBasic } = {}) {
  let server = new URL(issuer);
  if (algorithm === 'oauth2' && server.pathname !== '/') {
    // RFC 8414 §3.1 puts the well-known path before the issuer's own, where a stage of API Gateway never is.
    // The library takes the document's own address too.
    server = new URL(`${issuer}/.well-known/oauth-authorization-server`);
  }
  const options = { algorithm, timeout: TIMEOUT, ...insecure };
  return client.discovery(server, clientId, undefined, method(clientSecret), options);
}

async function discovery() {
  const nobody = { clientId: 'nobody', clientSecret: 'nothing' };
  const byOidc = (await discover(nobody, { algorithm: 'oidc' })).serverMetadata();
  const byOauth = (await discover(nobody, { algorithm: 'oauth2' })).serverMetadata();
  for (const metadata of [byOidc, byOauth]) {
    assert.equal(metadata.issuer, issuer);
    assert.ok(metadata.token_endpoint.startsWith(`${issuer}/`), metadata.token_endpoint);
    assert.ok(metadata.jwks_uri.startsWith(`${issuer}/`), metadata.jwks_uri);
  }
  assert.deepEqual({ ...byOauth }, { ...byOidc });
  ok('openid-client discovered the server by OpenID Connect and by RFC 8414');
  return byOidc;
}

async function tokens(metadata, alg) {
  await withM2m({ accessTokenSigningAlg: alg, accessTokenLifetime: 900 }, async (registered) => {
    const ids = new Set();
    for (const method of [client.ClientSecretBasic, client.ClientSecretPost]) {
      const config = await discover(registered, { method });
      const cases = [
        [{}, 'orders:read orders:write', ORDERS],
        [{ scope: 'orders:read' }, 'orders:read', ORDERS],
        [{ scope: 'orders:write', resource: BILLING }, 'orders:write', BILLING],
        [[['resource', ORDERS], ['resource', BILLING]], 'orders:read orders:write', [ORDERS, BILLING]],
      ];
      for (const [parameters, scope, audience] of cases) {
        const answer = await client.clientCredentialsGrant(config, new URLSearchParams(parameters));
        assert.equal(answer.token_type, 'bearer'); // which openid-client writes in lower case
        assert.equal(answer.expires_in, 900);
        // What is left by the library's clock, which may have moved on since.
        assert.ok(answer.expiresIn() > 0 && answer.expiresIn() <= 900, `${answer.expiresIn()} s left`);
        assert.equal(answer.scope, scope);
        assert.equal(answer.refresh_token, undefined);
        ids.add(await verify(metadata, registered, answer.access_token, { alg, scope, audience }));
      }
      ok(`openid-client fetched ${alg} tokens by ${method.name}, with scope and resource; three libraries verified them`);
    }
    assert.equal(ids.size, 8, 'every token has its own jti');

    const config = await discover(registered);
    const many = await Promise.all(Array.from({ length: 40 }, () => client.clientCredentialsGrant(config)));
    const different = new Set(many.map(({ access_token: token }) => jose.decodeJwt(token).jti));
    assert.equal(different.size, 40);
    ok(`40 ${alg} tokens fetched at once are 40 different tokens`);
  });
}

/** Lets three libraries verify a token, and refuse it when anything is wrong; gives its jti. */
async function verify(metadata, registered, token, { alg, scope, audience }) {
  const keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri), { timeoutDuration: TIMEOUT * 1000 });
  const expected = { typ: 'at+jwt', issuer, audience, algorithms: [alg] };
  const { payload, protectedHeader } = await jose.jwtVerify(token, keys, expected);
  assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'kid', 'typ']);
  const { iat, exp, nbf, jti, ...claims } = payload;
  assert.deepEqual(claims, {
    iss: issuer,
    sub: registered.clientId,
    client_id: registered.clientId,
    aud: audience,
    scope,
  });
  assert.equal(exp - iat, 900);
  assert.equal(nbf, iat);
  assert.equal(typeof jti, 'string');

  const other = ALGORITHMS.find((name) => name !== alg);
  for (const wrong of [
    { typ: 'JWT' },
    { issuer: `${issuer}/` },
    { audience: 'https://elsewhere.example.com' },
    { algorithms: [other] },
    { currentDate: new Date(exp * 1000) },
  ]) {
    await assert.rejects(jose.jwtVerify(token, keys, { ...expected, ...wrong }), jose.errors.JOSEError);
  }
  const forgeries = forged(token);
  for (const [what, forgery] of Object.entries(forgeries)) {
    await assert.rejects(jose.jwtVerify(forgery, keys, expected), jose.errors.JOSEError, what);
  }

  await rfc9068(metadata, token, [audience].flat(), forgeries);
  await byAws(metadata, token, { audience, scope }, forgeries);
  return jti;
}

/** Tokens that look like `token` and must not pass. */
function forged(token) {
  const [header, payload, signature] = token.split('.');
  const changed = (part, members) =>
    jose.base64url.encode(JSON.stringify({ ...JSON.parse(Buffer.from(part, 'base64url')), ...members }));
  return {
    'more scope': [header, changed(payload, { scope: 'orders:delete' }), signature].join('.'),
    'a later end': [header, changed(payload, { exp: 4102444800 }), signature].join('.'),
    'no algorithm': [changed(header, { alg: 'none' }), payload, ''].join('.'),
    'another type': [changed(header, { typ: 'JWT' }), payload, signature].join('.'),
    'another key': [changed(header, { kid: 'other' }), payload, signature].join('.'),
  };
}

/** oauth4webapi judges a request to an API as RFC 9068 §4 says. */
async function rfc9068(metadata, token, audiences, forgeries) {
  const options = { [oauth.allowInsecureRequests]: isPlain };
  const judge = (candidate, audience) => {
    const request = new Request(audience, { headers: { authorization: `Bearer ${candidate}` } });
    return oauth.validateJwtAccessToken(metadata, request, audience, options);
  };
  for (const audience of audiences) {
    const claims = await judge(token, audience);
    assert.equal(claims.iss, issuer);
  }
  await assert.rejects(judge(token, 'https://elsewhere.example.com'), oauth.OperationProcessingError);
  for (const [what, forgery] of Object.entries(forgeries)) {
    await assert.rejects(judge(forgery, audiences[0]), Error, what);
  }
}

/** What a function behind API Gateway would use: it looks for the keys at an address of its own making. */
async function byAws(metadata, token, { audience, scope }, forgeries) {
  const asked = new Set();
  const fetcher = {
    // Its own fetcher speaks https alone.
    async fetch(uri) {
      asked.add(uri);
      const response = await fetch(uri, { signal: AbortSignal.timeout(TIMEOUT * 1000) });
      assert.equal(response.status, 200, uri);
      return response.arrayBuffer();
    },
  };
  const verifier = JwtVerifier.create(
    { issuer, audience, scope: scope.split(' ') },
    { jwksCache: new SimpleJwksCache({ fetcher }) },
  );
  await verifier.verify(token);
  assert.deepEqual([...asked], [metadata.jwks_uri]);
  await assert.rejects(verifier.verify(token, { scope: 'orders:delete' }));
  await assert.rejects(verifier.verify(token, { audience: 'https://elsewhere.example.com' }));
  for (const what of ['more scope', 'a later end', 'no algorithm', 'another key']) {
    await assert.rejects(verifier.verify(forgeries[what]), Error, what);
  }
}

async function refusals() {
  await withM2m({}, async (registered) => {
    const wrong = { ...registered, clientSecret: `m2m_secret_${randomUUID()}` };
    const unknown = { ...registered, clientId: `m2m_${randomUUID().slice(0, 24)}` };
    for (const method of [client.ClientSecretBasic, client.ClientSecretPost]) {
      for (const credentials of [wrong, unknown]) {
        await refused(await discover(credentials, { method }), {}, 401, 'invalid_client');
      }
    }
    await refused(await discover(registered, { method: client.None }), {}, 401, 'invalid_client');
    ok('a wrong secret, an unknown client and a missing secret are invalid_client, with a challenge');

    const config = await discover(registered);
    await refused(config, { scope: 'orders:delete' }, 400, 'invalid_scope');
    await refused(config, { scope: 'orders:read "' }, 400, 'invalid_scope');
    await refused(config, { resource: 'https://elsewhere.example.com' }, 400, 'invalid_target');
    await refused(config, [['scope', 'orders:read'], ['scope', 'orders:write']], 400, 'invalid_request');
    ok('openid-client reads invalid_scope, invalid_target and invalid_request from the answers');

    await admin('PATCH', `/clients/${registered.id}`, { isActive: false }, 200);
    await refused(config, {}, 401, 'invalid_client');
    ok('a disabled client is refused at once');
  });
}

/** Expects openid-client to throw what it makes of an error (RFC 6749 §5.2). */
async function refused(config, parameters, status, error) {
  const attempt = client.clientCredentialsGrant(config, new URLSearchParams(parameters));
  const thrown = await attempt.then(() => assert.fail(`${error} was expected, there is a token`), (reason) => reason);
  if (!thrown.response) throw thrown;
  const { headers } = thrown.response;
  let body;
  if (status === 401) {
    // It looks at the challenge, and leaves the body to us.
    assert.ok(thrown instanceof client.WWWAuthenticateChallengeError, `${thrown}`);
    assert.deepEqual(thrown.cause.map(({ scheme }) => scheme), ['basic']);
    body = await thrown.response.json();
  } else {
    assert.ok(thrown instanceof client.ResponseBodyError, `${thrown}`);
    body = thrown.cause;
  }
  assert.equal(thrown.status, status);
  assert.deepEqual(Object.keys(body).sort(), ['error', 'error_description']);
  assert.equal(body.error, error);
  assert.match(body.error_description, /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
  assert.match(headers.get('content-type'), /^application\/json/);
  assert.equal(headers.get('cache-control'), 'no-store');
}

/** RFC 6749 §2.3.1: identifier and secret are form-encoded before base64, so any character may be in them. */
async function imported() {
  const credentials = {
    clientId: `billing+service:%${randomUUID()}`,
    clientSecret: `a+b %41&c=d:"e"/?~${randomUUID()}`,
  };
  await withM2m(credentials, async (registered) => {
    assert.equal(registered.clientId, credentials.clientId);
    for (const method of [client.ClientSecretBasic, client.ClientSecretPost]) {
      const config = await discover(credentials, { method });
      const { access_token: token } = await client.clientCredentialsGrant(config);
      assert.equal(jose.decodeJwt(token).sub, credentials.clientId);
    }
    await admin('POST', '/clients', { name: 'Again', type: 'm2m', ...credentials }, 409);
  });
  ok('imported credentials with +, %, & and : work by both methods');
}

const metadata = await discovery();
for (const alg of ALGORITHMS) await tokens(metadata, alg);
await refusals();
await imported();
