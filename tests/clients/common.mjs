// What the JavaScript programs here share: where the server is, how to administer it, and how to say what
// was shown.
//
// IDENTETY_URL is the issuer, IDENTETY_ADMIN the path of admin.json.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export const TIMEOUT = 15; // seconds, for each request

export const issuer = new URL(process.env.IDENTETY_URL).href.replace(/\/$/, '');
export const adminFile = JSON.parse(await readFile(process.env.IDENTETY_ADMIN, 'utf8'));

export const ok = (message) => console.log(`ok: ${message}`);

/** A request to the administration API with the API key; gives the JSON answer. */
export async function admin(method, path, body, expected) {
  const response = await fetch(`${issuer}/admin${path}`, {
    method,
    headers: { 'x-api-key': adminFile.apiKey, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT * 1000),
  });
  const text = await response.text();
  assert.equal(response.status, expected, `${method} ${path}: ${text}`);
  return JSON.parse(text);
}

/** Runs `use` with a registered client, which is gone afterwards. */
export async function withClient(members, use) {
  const client = await admin('POST', '/clients', members, 201);
  try {
    return await use(client);
  } finally {
    await admin('DELETE', `/clients/${client.id}`, undefined, 200);
  }
}

/** Runs `use` with a new user, whose password it knows, and who is gone afterwards. */
export async function withUser(members, use) {
  const password = randomBytes(12).toString('base64url');
  const email = `ann.${randomBytes(6).toString('hex')}@example.com`;
  const wanted = { email, password, emailVerified: true, name: 'Ann Example', givenName: 'Ann', ...members };
  const user = await admin('POST', '/users', wanted, 201);
  assert.equal(user.password, undefined, 'the answer shows no password');
  try {
    return await use({ ...user, password: wanted.password });
  } finally {
    await admin('DELETE', `/users/${user.id}`, undefined, 200);
  }
}
