// Debian's Apache with mod_auth_openidc before a page: sign-in, refresh, revocation and sign-out.
//
// IDENTETY_OUTSIDE is the folder in which ../clients/apache.sh has unpacked it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { TIMEOUT, allow, isAt, issuer, ok, signIn, story, withClient, withUser } from './common.mjs';

const APACHE = join(process.env.IDENTETY_OUTSIDE, 'apache');
assert.ok(existsSync(APACHE), `${APACHE} is missing; \`make test\` sets it up`);
const MODULES = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'dir', 'mime', 'auth_openidc'];
const SCOPE = 'openid profile email offline_access';

/** A port that was free a moment ago: Apache takes none by itself. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

const configuration = (folder, port, client) => `
ServerRoot "${folder}"
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile "${folder}/pid"
DefaultRuntimeDir "${folder}"
ErrorLog "${folder}/log"
LogLevel warn
${process.getuid() === 0 ? 'User nobody\nGroup nogroup' : ''}
${MODULES.map((name) => `LoadModule ${name}_module "${APACHE}/usr/lib/apache2/modules/mod_${name}.so"`).join('\n')}
TypesConfig /dev/null
DocumentRoot "${folder}/pages"
DirectoryIndex index.html

OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID ${client.clientId}
OIDCClientSecret ${client.clientSecret}
OIDCRedirectURI http://127.0.0.1:${port}/private/oidc
OIDCCryptoPassphrase ${randomBytes(24).toString('hex')}
OIDCScope "${SCOPE}"
OIDCPKCEMethod S256
OIDCRemoteUserClaim email
OIDCInfoHook iat access_token id_token userinfo refresh_token session
OIDCCacheType file
OIDCCacheDir "${folder}/cache"

<Location "/private">
  AuthType openid-connect
  Require valid-user
</Location>
`;

/** Runs `use` with an Apache that guards /private, for a client that it registers. */
async function withApache(use) {
  const folder = await mkdtemp(join(tmpdir(), 'identety-apache-'));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const members = {
    name: 'Apache',
    type: 'private',
    redirectUris: [`${origin}/private/oidc`],
    postLogoutRedirectUris: [`${origin}/`],
    scopes: SCOPE.split(' '),
  };
  try {
    await withClient(members, async (client) => {
      const page = (title) => `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>`;
      await mkdir(join(folder, 'pages/private'), { recursive: true });
      await mkdir(join(folder, 'cache'));
      await writeFile(join(folder, 'pages/index.html'), page('Outside'));
      await writeFile(join(folder, 'pages/private/index.html'), page('Inside'));
      await writeFile(join(folder, 'conf'), configuration(folder, port, client));
      await chmod(folder, 0o755);
      await chmod(join(folder, 'cache'), 0o777);
      await running(folder, origin, () => use({ origin, client }));
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs `use` while Apache runs, in one process, which is ended afterwards. */
async function running(folder, origin, use) {
  const [triplet] = (await readdir(join(APACHE, 'usr/lib'))).filter((name) => name.includes('linux'));
  const env = { ...process.env, LD_LIBRARY_PATH: join(APACHE, 'usr/lib', triplet ?? '') };
  const apache = spawn(join(APACHE, 'usr/sbin/apache2'), ['-X', '-f', join(folder, 'conf')], { env, stdio: 'inherit' });
  const ended = new Promise((resolve) => { apache.once('exit', resolve); });
  try {
    await ready(origin, apache);
    await use();
  } catch (error) {
    console.error(await readFile(join(folder, 'log'), 'utf8').catch(() => 'no log'));
    throw error;
  } finally {
    apache.kill();
    await ended;
  }
}

async function ready(origin, apache) {
  for (let attempt = 0; attempt < TIMEOUT * 10; attempt += 1) {
    assert.equal(apache.exitCode, null, 'Apache has ended');
    const response = await fetch(origin).catch(() => undefined);
    if (response?.ok) {
      return;
    }
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  assert.fail('Apache does not answer');
}

const heading = (page, name) => page.getByRole('heading', { name }).waitFor();

/** What the module knows of the session. */
async function info(page, origin) {
  const response = await page.request.get(`${origin}/private/oidc?info=json`);
  assert.equal(response.status(), 200, await response.text());
  return response.json();
}

/** Whether this server still takes an access token. */
async function isLive(token) {
  const response = await fetch(`${issuer}/oauth2/userinfo`, { headers: { authorization: `Bearer ${token}` } });
  return response.status === 200;
}

await story(({ person }) => withUser({}, (user) => withApache(async ({ origin, client }) => {
  const ann = await person();
  const page = await ann.newPage();
  await page.goto(`${origin}/private/`);
  await isAt(page, '/signin');
  await signIn(page, user);
  await isAt(page, '/consent');
  await allow(page);
  await heading(page, 'Inside');
  const first = await info(page, origin);
  assert.equal(first.userinfo.email, user.email);
  assert.equal(first.userinfo.name, 'Ann Example');
  assert.ok(await isLive(first.access_token));
  ok('mod_auth_openidc lets a user in who has signed in here, and knows name and email address');

  const refresh = new URLSearchParams({ refresh: `${origin}/private/`, access_token: first.access_token });
  await page.goto(`${origin}/private/oidc?${refresh}`);
  await heading(page, 'Inside');
  const second = await info(page, origin);
  assert.notEqual(second.access_token, first.access_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.ok(await isLive(second.access_token));
  ok('it refreshes its tokens');

  await page.goto(`${origin}/private/oidc?${new URLSearchParams({ logout: `${origin}/` })}`);
  if (await page.locator('#signout').isVisible()) {
    await page.locator('#signout').click();
  }
  await heading(page, 'Outside');
  assert.equal(new URL(page.url()).origin, origin);
  assert.equal(await isLive(second.access_token), false);
  const spent = await fetch(`${issuer}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: second.refresh_token }),
  });
  assert.equal(spent.status, 400);
  ok('signing out revokes its tokens, also those that would have outlived the session, and leads back to it');

  await page.goto(`${origin}/private/`);
  await isAt(page, '/signin');
  await page.locator('#email').waitFor();
  ok('and ends the session here: who comes again has to sign in');
  await ann.leave();
})));
