// prompt=none with form_post in a frame, as apps on the server's own site renew silently. Lax cookies come in no other frames.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';

import { allow, isAt, isCode, issuer, ok, request, signIn, story, withClient, withUser } from './common.mjs';

const FORM_POST = { response_mode: 'form_post' };

/** An app whose page frames the URL in its fragment, and shows there what its own callback got. */
async function withFramingApp(use) {
  const answers = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) {
      chunks.push(chunk);
    }
    outgoing.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    if (incoming.method === 'POST') {
      answers.push(Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())));
      outgoing.end('<!doctype html><html lang="en"><title>App</title><h1>Answered</h1>');
    } else {
      outgoing.end(`<!doctype html><html lang="en"><title>App</title><h1>App</h1><iframe title="silent"></iframe>
<script>document.querySelector('iframe').src = decodeURIComponent(location.hash.slice(1));</script>`);
    }
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address();
  try {
    // Two sites, as far as browsers are concerned. The first is the server's own: ports do not matter to sites.
    return await use({ own: `http://localhost:${port}`, other: `http://127.0.0.1:${port}`, answers });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Opens a page of `origin` that frames `url`. */
async function frame(person, origin, url) {
  const page = await person.newPage();
  await page.goto(`${origin}/#${encodeURIComponent(url)}`);
  return page;
}

/** Waits until the frame shows the callback; gives what the app got. */
async function answered(page, app) {
  await page.frameLocator('iframe').getByRole('heading', { name: 'Answered' }).waitFor();
  return app.answers.at(-1);
}

/** Waits until the browser has refused to show what it was to frame. */
async function refused(person, origin, url) {
  const page = await person.newPage();
  const told = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
  await page.goto(`${origin}/#${encodeURIComponent(url)}`);
  await told;
}

assert.equal(new URL(issuer).hostname, 'localhost');
await story(({ person }) => withFramingApp((app) => withUser({}, (user) => {
  const origins = [app.own, app.other];
  const members = {
    name: 'Orchard',
    type: 'private',
    redirectUris: origins.map((origin) => `${origin}/cb`),
    scopes: ['openid', 'profile', 'email'],
  };
  return withClient(members, async (client) => {
    const ann = await person();
    const at = (origin, parameters) => request(client, { redirectUri: `${origin}/cb` }, { ...FORM_POST, ...parameters });

    const early = at(app.own, { prompt: 'none' });
    const { error, state, iss } = await answered(await frame(ann, app.own, early.url), app);
    assert.deepEqual([error, state, iss], ['login_required', early.state, issuer]);
    ok('before signing in, a frame of the same site hears login_required');

    const page = await ann.newPage();
    const first = at(app.own);
    await page.goto(first.url);
    await signIn(page, user);
    await isAt(page, '/consent');
    await allow(page);
    await page.getByRole('heading', { name: 'Answered' }).waitFor();
    isCode(app.answers.at(-1), first);

    const silent = at(app.own, { prompt: 'none' });
    isCode(await answered(await frame(ann, app.own, silent.url), app), silent);
    const wrong = at(app.own, { prompt: 'none', scope: 'openid unknown' });
    const answer = await answered(await frame(ann, app.own, wrong.url), app);
    assert.deepEqual([answer.error, answer.state], ['invalid_scope', wrong.state]);
    ok('afterwards it gets a code, and other errors too');

    const before = app.answers.length;
    await refused(ann, app.other, at(app.own, { prompt: 'none' }).url);
    ok('a page of another origin than the redirect URI\'s cannot frame the answer');
    for (const parameters of [{ prompt: 'login' }, { prompt: 'consent' }, {}]) {
      await refused(ann, app.own, at(app.own, parameters).url);
    }
    await refused(ann, app.own, `${issuer}/signout`);
    assert.equal(app.answers.length, before);
    ok('nobody can frame a page that asks for something, nor an answer that was not asked for silently');

    const elsewhere = at(app.other, { prompt: 'none' });
    const { error: none } = await answered(await frame(ann, app.other, elsewhere.url), app);
    assert.equal(none, 'login_required');
    ok('in a frame of another site nobody is signed in, because no cookie comes there');
    await ann.leave(/frame-ancestors/);
  });
})));
