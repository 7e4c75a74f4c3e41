// The demo app of `identety serve`, as a developer meets it: deny, sign in, read the claims, refresh, sign out.

import assert from 'node:assert/strict';

import { adminFile, allow, isAt, issuer, ok, request, signIn, story } from './common.mjs';

const home = `${issuer}/demo`;
const { demoUser } = adminFile;

const isReady = (page) => page.locator('html[data-ready]').waitFor();

/** The claims of a list as an object of texts. */
async function claims(page, selector) {
  await page.locator(`${selector} dt`).first().waitFor();
  const pairs = await page.locator(`${selector} > div`).evaluateAll((rows) =>
    rows.map((row) => [row.querySelector('dt').textContent, row.querySelector('dd').textContent]));
  return Object.fromEntries(pairs);
}

async function deny(person) {
  const page = await person.newPage();
  await page.goto(home);
  await isReady(page);
  await page.locator('#sign-in').click();
  await signIn(page, demoUser);
  await page.locator('#deny').click();
  await page.waitForURL(home);
  const error = page.getByRole('alert');
  await error.waitFor();
  assert.match(await error.textContent(), /You did not allow .*access_denied/);
  await page.locator('#sign-in').waitFor();
  ok('who denies is told so by the app, and is not signed in there');
}

async function use(person) {
  const page = await person.newPage();
  await page.goto(`${home}/`);
  await isReady(page);
  assert.equal(await page.locator('#signed-in').isVisible(), false);
  await page.locator('#sign-in').click();
  await isAt(page, '/signin');
  await signIn(page, demoUser);
  await isAt(page, '/consent');
  await allow(page);
  await page.waitForURL(home);
  await page.locator('#signed-in').waitFor();
  assert.equal(await page.locator('#error').isVisible(), false);
  ok('the demo user signs in and consents; the code has left the address bar');

  const idToken = await claims(page, '#id-token-claims');
  assert.equal(idToken.iss, issuer);
  assert.equal(idToken.aud, 'demo');
  const userinfo = await claims(page, '#userinfo-claims');
  assert.equal(userinfo.email, demoUser.email);
  assert.equal(userinfo.email_verified, 'true');
  assert.equal(userinfo.sub, idToken.sub);
  assert.equal(await page.locator('#who').textContent(), `Signed in as ${userinfo.name}`);
  for (const claim of ['name', 'given_name', 'family_name', 'nickname', 'locale', 'zoneinfo', 'updated_at']) {
    assert.ok(userinfo[claim], `userinfo has ${claim}`);
  }
  ok('the app shows who signed in, and the claims of the ID token and of userinfo');

  const text = (selector) => page.locator(selector).textContent();
  const before = [await text('#access-token'), await text('#refresh-token')];
  await page.locator('#refresh').click();
  await page.getByText('there is a new access token').waitFor();
  const after = [await text('#access-token'), await text('#refresh-token')];
  assert.notEqual(after[0], before[0]);
  assert.notEqual(after[1], before[1]);
  assert.notEqual(await text('#refreshed'), 'not yet');
  ok('the refresh token gives new tokens');

  await page.reload();
  await page.locator('#signed-in').waitFor();
  await claims(page, '#userinfo-claims');
  assert.equal(await text('#access-token'), after[0]);
  ok('a reload keeps the tokens and the sign-in');

  await page.locator('#sign-out').click();
  await page.waitForURL((url) => url.href.startsWith(home) || url.pathname.endsWith('/signout') || url.pathname.endsWith('/logout'));
  if (await page.locator('#signout').isVisible()) {
    await page.locator('#signout').click();
  }
  await page.locator('#signed-out').waitFor();
  await page.waitForURL(home);
  await page.getByText('You are signed out.').waitFor();
  ok('signing out ends the session here and at the server, and leads back to the app');

  const silent = request({ clientId: 'demo' }, { redirectUri: home }, { prompt: 'none' });
  const answered = page.waitForRequest((sent) => sent.url().startsWith(`${home}?`));
  await page.goto(silent.url);
  const answer = new URL((await answered).url()).searchParams;
  assert.equal(answer.get('error'), 'login_required');
  assert.equal(answer.get('state'), silent.state);
  assert.equal(answer.get('iss'), issuer);
  await page.getByRole('alert').waitFor();
  ok('afterwards prompt=none is answered with login_required, which the app tells');
}

await story(async ({ person }) => {
  const first = await person();
  await deny(first);
  await first.leave();
  const second = await person();
  await use(second);
  await second.leave();
});
