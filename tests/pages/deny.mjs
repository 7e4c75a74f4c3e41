// The user says no.

import assert from 'node:assert/strict';

import { appClient, back, isAt, issuer, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person();
  const page = await ann.newPage();
  const sent = request(client, app);
  await page.goto(sent.url);
  await signIn(page, user);
  await isAt(page, '/consent');
  await page.locator('#deny').click();
  const { error, state, iss, code } = await back(page, app);
  assert.deepEqual({ error, state, iss, code }, { error: 'access_denied', state: sent.state, iss: issuer, code: undefined });
  ok('a denied request is answered with access_denied, state and iss, and without a code');

  const again = request(client, app);
  await page.goto(again.url);
  await isAt(page, '/consent');
  ok('a denial is not remembered: the next request asks again, and needs no sign-in');

  const silent = request(client, app, { prompt: 'none' });
  await page.goto(silent.url);
  const answer = await back(page, app);
  assert.deepEqual([answer.error, answer.state, answer.iss], ['consent_required', silent.state, issuer]);
  ok('prompt=none without consent is answered with consent_required');
  await ann.leave();
}))));
