// What the stories share: a real browser, an app that users sign in to, and what must hold on every page.
//
// IDENTETY_URL is the issuer, IDENTETY_ADMIN the path of admin.json, IDENTETY_SCREENSHOTS a folder for pictures.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { delimiter, join } from 'node:path';

import { TIMEOUT, issuer } from '../clients/common.mjs';
import { AXE, chromium } from './packages.mjs';

export * from '../clients/common.mjs';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];
const SIZES = [{ width: 390, height: 844 }, { width: 1280, height: 800 }];
const SCHEMES = ['light', 'dark'];

/** The browser of this machine; IDENTETY_CHROMIUM names another. */
function browserPath() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const all = BROWSERS.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = process.env.IDENTETY_CHROMIUM ?? all.find((path) => existsSync(path));
  assert.ok(found, 'Chromium is missing; `make test` sets it up');
  return found;
}

/** Runs a story with a browser that is closed afterwards. */
export async function story(run) {
  const browser = await chromium.launch({
    executablePath: browserPath(),
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
  });
  const person = async (options) => newPerson(browser, options);
  try {
    await run({ person });
  } finally {
    await browser.close();
  }
}

/** Somebody with a browser of their own: cookies that nobody else has. */
async function newPerson(browser, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(TIMEOUT * 1000);
  const complaints = [];
  context.on('response', (response) => {
    const isDocument = response.request().isNavigationRequest() && isOurs(response.url());
    const isHtml = (response.headers()['content-type'] ?? '').startsWith('text/html');
    if (isDocument && isHtml) {
      complaints.push(...unguarded(response));
    }
  });
  context.on('console', (message) => {
    // The browser itself reports a 4xx page that way.
    const isStatus = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isStatus) {
      complaints.push(`${message.page()?.url()}: ${message.text()}`);
    }
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  return {
    context,
    newPage: () => context.newPage(),
    cookies: () => context.cookies(issuer),
    /** Ends the browser, and fails when a page was not guarded, or the browser complained about it; but for what is `expected`. */
    async leave(expected) {
      await context.close();
      assert.deepEqual(complaints.filter((complaint) => !expected?.test(complaint)), []);
    },
  };
}

const isOurs = (url) => new URL(url).origin === new URL(issuer).origin;

/** What the headers of a page lack (RFC 9700 §4.16 for frames). */
function unguarded(response) {
  const headers = response.headers();
  const policy = headers['content-security-policy'] ?? '';
  // Only an answer that a client asked for silently may be in a frame, and only in one of its own.
  const app = framingApp(response);
  const wanted = {
    'cache-control': headers['cache-control']?.includes('no-store'),
    'referrer-policy': headers['referrer-policy'] === 'same-origin',
    'x-content-type-options': headers['x-content-type-options'] === 'nosniff',
    'x-frame-options': headers['x-frame-options'] === (app ? undefined : 'DENY'),
    'default-src': policy.includes("default-src 'none'"),
    'frame-ancestors': policy.includes(`frame-ancestors ${app ?? "'none'"};`),
    'base-uri': policy.includes("base-uri 'none'"),
    'no inline script or style': !policy.includes('unsafe'),
  };
  return Object.keys(wanted).filter((name) => !wanted[name]).map((name) => `${response.url()}: ${name}`);
}

/** The origin of the app whose answer to `prompt=none` a page is. */
function framingApp(response) {
  const { pathname, searchParams } = new URL(response.url());
  const isSilent = searchParams.get('prompt') === 'none' && searchParams.get('response_mode') === 'form_post';
  const isAnswer = response.status() === 200 && pathname === new URL(`${issuer}/oauth2/authorize`).pathname;
  return isSilent && isAnswer ? new URL(searchParams.get('redirect_uri')).origin : undefined;
}

/** An app of somebody else, on another site: it shows a page at its redirect URI and remembers what came. */
export async function withApp(use) {
  const answers = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://127.0.0.1');
    if (url.pathname === '/cb') {
      const chunks = [];
      for await (const chunk of request) {
        chunks.push(chunk);
      }
      const isPost = request.method === 'POST';
      const parameters = isPost ? new URLSearchParams(Buffer.concat(chunks).toString()) : url.searchParams;
      answers.push({ method: request.method, referrer: request.headers.referer, ...Object.fromEntries(parameters) });
    }
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><html lang="en"><title>App</title><h1>${url.pathname === '/cb' ? 'Back at the app' : 'App'}</h1>`);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const origin = `http://127.0.0.1:${server.address().port}`;
  try {
    return await use({ origin, redirectUri: `${origin}/cb`, answers });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Members of a client that is `app`. It is private: of a public one on loopback the user is asked each time. */
export const appClient = (app, members = {}) => ({
  name: 'Orchard',
  type: 'private',
  redirectUris: [app.redirectUri],
  postLogoutRedirectUris: [`${app.origin}/bye`],
  scopes: ['openid', 'profile', 'email', 'offline_access'],
  ...members,
});

/** An authorization request of `client`: the URL, and what the app has to remember. */
export function request(client, app, parameters = {}) {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(12).toString('base64url');
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: app.redirectUri,
    scope: 'openid profile email',
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  });
  return { url: `${issuer}/oauth2/authorize?${query}`, verifier, state: query.get('state') };
}

/** How `client` authenticates at the token endpoint. */
export const credentials = ({ clientId, clientSecret }) => ({
  authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
});

/** Exchanges a code at the token endpoint; gives status and body. */
export async function exchange(client, app, code, verifier) {
  const response = await fetch(`${issuer}/oauth2/token`, {
    method: 'POST',
    headers: credentials(client),
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      redirect_uri: app.redirectUri,
      code,
      code_verifier: verifier,
    }),
    signal: AbortSignal.timeout(TIMEOUT * 1000),
  });
  return { status: response.status, ...(await response.json()) };
}

/** Fills in the sign-in page and sends it. */
export async function signIn(page, user, password = user.password) {
  await page.locator('#email').fill(user.email);
  await page.locator('#password').fill(password);
  await page.locator('#submit').click();
}

export const allow = (page) => page.locator('#allow').click();

/** Waits until the browser is back at the app; gives the latest answer that the app got. */
export async function back(page, app) {
  await page.waitForURL((url) => url.origin === app.origin);
  await page.getByRole('heading', { name: 'Back at the app' }).waitFor();
  return app.answers.at(-1);
}

/** Checks an answer with a code: the request's state, and the server's name (RFC 9207). */
export function isCode(answer, sent) {
  assert.equal(answer.error, undefined, JSON.stringify(answer));
  assert.equal(answer.state, sent.state);
  assert.equal(answer.iss, issuer);
  assert.match(answer.code, /^[\w-]{43,}$/);
}

/** Checks that a code gives tokens. */
export async function isRedeemable(answer, client, app, sent) {
  isCode(answer, sent);
  const tokens = await exchange(client, app, answer.code, sent.verifier);
  assert.equal(tokens.status, 200, JSON.stringify(tokens));
  assert.equal(tokens.token_type, 'Bearer');
  assert.ok(tokens.access_token && tokens.id_token);
  return tokens;
}

const pathOf = (page) => new URL(page.url()).pathname;

/** Checks that the browser is at a page of the server. */
export async function isAt(page, path) {
  await page.waitForURL((url) => url.href.startsWith(`${issuer}${path}`));
  assert.equal(pathOf(page), new URL(issuer + path).pathname);
}

const axe = await readFile(AXE, 'utf8');
const pictures = process.env.IDENTETY_SCREENSHOTS;

/** Looks at a page on a phone and on a desktop, by day and by night: axe finds nothing, nothing is cut off. */
export async function inspect(page, name) {
  for (const colorScheme of SCHEMES) {
    // Without motion, for halfway from one colour to another there is no contrast.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      const where = `${name}-${size.width}x${size.height}-${colorScheme}`;
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
      const violations = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
      assert.deepEqual(violations, [], where);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${where} is ${overflow} pixels too wide`);
      if (pictures) {
        await mkdir(pictures, { recursive: true });
        await page.screenshot({ path: join(pictures, `${where}.png`), fullPage: true });
      }
    }
  }
}
