// Strangers try to lock a user out of a browser that has signed in before.

import assert from 'node:assert/strict';
import { request as send } from 'node:http';

import { allow, appClient, back, isAt, isCode, issuer, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

const ATTEMPTS = 120;
// Fewer than the limit of one account and address, so that the account's own counter is what is reached.
const FROM_ONE_ADDRESS = 8;

/** One request from an address of this machine, cookies and all. */
function call(address, cookies, url, form) {
  const headers = { cookie: [...cookies].map((pair) => pair.join('=')).join('; '), origin: issuer };
  const body = form?.toString();
  if (body) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    headers['content-length'] = Buffer.byteLength(body);
  }
  const { hostname, port, pathname, search } = new URL(url);
  const options = { host: '127.0.0.1', port, path: pathname + search, method: body ? 'POST' : 'GET', localAddress: address };
  return new Promise((resolve, reject) => {
    const sent = send({ ...options, headers: { ...headers, host: `${hostname}:${port}` } }, async (answer) => {
      const chunks = [];
      for await (const chunk of answer) {
        chunks.push(chunk);
      }
      for (const line of answer.headers['set-cookie'] ?? []) {
        const [pair] = line.split(';');
        cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
      }
      resolve({ status: answer.statusCode, location: answer.headers.location, body: Buffer.concat(chunks).toString() });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const decoded = (text) => text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));

/** A stranger at an address, before a sign-in page. */
async function stranger(address, url) {
  const cookies = new Map();
  let page = await call(address, cookies, url);
  while (page.location) {
    page = await call(address, cookies, page.location);
  }
  assert.equal(page.status, 200, page.body);
  const hidden = [...page.body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
  const fields = hidden.map(([, name, value]) => [decoded(name), decoded(value)]);
  return (email, password) => {
    const form = new URLSearchParams([...fields, ['email', email], ['password', password]]);
    return call(address, cookies, `${issuer}/signin`, form);
  };
}

/** Guesses of strangers at many addresses. */
async function attack(url, user) {
  const statuses = new Map();
  for (let attempt = 0, guess; attempt < ATTEMPTS; attempt += 1) {
    if (attempt % FROM_ONE_ADDRESS === 0) {
      guess = await stranger(`127.0.1.${1 + attempt / FROM_ONE_ADDRESS}`, url);
    }
    const { status } = await guess(user.email, `guess ${attempt}`);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  return statuses;
}

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person();
  const page = await ann.newPage();
  const first = request(client, app);
  await page.goto(first.url);
  await signIn(page, user);
  await allow(page);
  isCode(await back(page, app), first);
  await page.goto(`${issuer}/signout`);
  await page.locator('#signout').click();
  await page.getByText('signed out').first().waitFor();

  const statuses = await attack(request(client, app).url, user);
  assert.deepEqual([...statuses.keys()].sort(), [400, 429]);
  assert.equal(statuses.get(400), 100, JSON.stringify([...statuses]));
  ok('strangers at fifteen addresses fail a hundred times, and then get no further attempt');

  const eve = await person();
  const elsewhere = await eve.newPage();
  await elsewhere.goto(request(client, app).url);
  await isAt(elsewhere, '/signin');
  await signIn(elsewhere, user);
  const refusal = elsewhere.getByRole('alert');
  await refusal.waitFor();
  assert.doesNotMatch(await refusal.textContent(), /wrong/);
  await isAt(elsewhere, '/signin');
  ok('a browser that has never signed in is refused, even with the right password');

  const again = request(client, app);
  await page.goto(again.url);
  await isAt(page, '/signin');
  await signIn(page, user);
  await Promise.race([back(page, app), allow(page).then(() => back(page, app))]);
  isCode(app.answers.at(-1), again);
  ok('the browser that has signed in before signs in at once');
  await eve.leave();
  await ann.leave();
}))));
