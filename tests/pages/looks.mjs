// Every page, on a phone and on a desktop, by day and by night: axe finds nothing, nothing is cut off.

import assert from 'node:assert/strict';

import { adminFile, allow, appClient, back, exchange, inspect, isAt, isCode, issuer, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

async function pages(person, app, client, user) {
  const page = await person.newPage();
  const sent = request(client, app);
  await page.goto(sent.url);
  await inspect(page, 'sign-in');
  await signIn(page, user, 'wrong');
  await page.getByRole('alert').waitFor();
  await inspect(page, 'sign-in-error');
  await signIn(page, user);
  await isAt(page, '/consent');
  const consent = page.url();
  await inspect(page, 'consent');
  ok('the sign-in page, with and without an error, and the consent page');

  await allow(page);
  const answer = await back(page, app);
  isCode(answer, sent);
  await exchange(client, app, answer.code, sent.verifier);
  await page.goto(consent);
  await inspect(page, 'used');
  const unknown = await page.goto(request({ clientId: 'nobody' }, app).url);
  assert.equal(unknown.status(), 400);
  await inspect(page, 'unknown-client');
  const foreign = await page.goto(request(client, app, { redirect_uri: 'https://elsewhere.example.com/cb' }).url);
  assert.equal(foreign.status(), 400);
  await inspect(page, 'foreign-redirect');
  ok('what is wrong is told by a page, with status 400');

  await page.goto(`${issuer}/signout`);
  await inspect(page, 'sign-out');
  await page.locator('#signout').click();
  await page.getByText('signed out').first().waitFor();
  await inspect(page, 'signed-out');
  ok('the pages for signing out');
}

/** Names of clients and scopes are whatever somebody thought of. */
async function long(person, app, user) {
  const members = appClient(app, {
    name: 'Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrikverwaltungsprogramm der Vereinigten Werke 2',
    scopes: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access', 'orders:read', 'a'.repeat(60)],
    policyUri: 'https://app.example.com/privacy',
    tosUri: 'https://app.example.com/terms',
  });
  await withClient(members, async (client) => {
    const page = await person.newPage();
    await page.goto(request(client, app, { scope: client.scopes.join(' ') }).url);
    await inspect(page, 'sign-in-long');
    await signIn(page, user);
    await isAt(page, '/consent');
    await inspect(page, 'consent-long');
  });
  ok('long names and many scopes fit');
}

async function formPost(person, app, client, user) {
  const page = await person.newPage();
  // With an empty script in place of its own, the page stays.
  await page.route('**/form_post.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  await page.goto(request(client, app, { response_mode: 'form_post' }).url);
  await signIn(page, user);
  await page.getByRole('heading', { name: 'Almost there' }).waitFor();
  await inspect(page, 'form-post');
  ok('the page that posts the answer, as people with a slow browser see it');
}

async function demo(person) {
  const page = await person.newPage();
  await page.goto(`${issuer}/demo`);
  await page.locator('#sign-in').waitFor();
  await inspect(page, 'demo-signed-out');
  await page.locator('#sign-in').click();
  await signIn(page, adminFile.demoUser);
  await allow(page);
  await page.locator('#userinfo-claims dt').first().waitFor();
  await inspect(page, 'demo-signed-in');
  await page.goto(`${issuer}/demo?error=access_denied&state=unknown&iss=${encodeURIComponent(issuer)}`);
  await page.getByRole('alert').waitFor();
  await inspect(page, 'demo-error');
  ok('the demo app');
}

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  for (const look of [
    (ann) => pages(ann, app, client, user),
    (ann) => long(ann, app, user),
    (ann) => formPost(ann, app, client, user),
    demo,
  ]) {
    const ann = await person();
    await look(ann);
    await ann.leave();
  }
}))));
