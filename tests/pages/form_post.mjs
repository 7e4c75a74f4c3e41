// The answer as a form that the browser posts to the app, on another site.

import assert from 'node:assert/strict';

import { allow, appClient, back, isRedeemable, issuer, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

const STATE = `"'><script>document.title='taken'</script>&amp; é`;

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person();
  const page = await ann.newPage();
  const sent = request(client, app, { response_mode: 'form_post', state: STATE });
  await page.goto(sent.url);
  await signIn(page, user);
  await allow(page);
  const answer = await back(page, app);
  assert.equal(answer.method, 'POST');
  assert.equal(new URL(page.url()).search, '', 'nothing of the answer is in the address');
  await isRedeemable(answer, client, app, sent);
  ok('the code comes by POST, by itself, and the state as it was sent, markup and all');

  const silent = request(client, app, { response_mode: 'form_post', prompt: 'none' });
  await page.goto(silent.url);
  await isRedeemable(await back(page, app), client, app, silent);
  ok('so it does without any page to be answered');

  const wrong = request(client, app, { response_mode: 'form_post', scope: 'openid unknown' });
  await page.goto(wrong.url);
  const { method, error, state, iss, code } = await back(page, app);
  assert.deepEqual([method, error, state, iss, code], ['POST', 'invalid_scope', wrong.state, issuer, undefined]);
  ok('and errors come that way too');
  await ann.leave();
}))));
