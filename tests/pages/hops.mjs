// An app whose callback and post-logout page send the browser on: to another port, to another host, and to an app's own scheme.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';

import { allow, isAt, issuer, ok, request, signIn, story, withClient, withUser } from './common.mjs';

const SCHEME = 'myapp:';
const listening = (server) => new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });

/** Runs `use` with an app of two servers: the first is registered, and sends browsers on to the second or to a scheme. */
async function withHops(use) {
  const heard = [];
  const second = createServer((_, outgoing) => {
    outgoing.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    outgoing.end('<!doctype html><html lang="en"><title>App</title><h1>Arrived</h1>');
  });
  await listening(second);
  const { port } = second.address();
  const hops = { port: `http://127.0.0.1:${port}/`, host: `http://localhost:${port}/`, scheme: `${SCHEME}//signed-in/` };
  const first = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url, 'http://127.0.0.1');
    const chunks = [];
    for await (const chunk of incoming) {
      chunks.push(chunk);
    }
    const sent = incoming.method === 'POST' ? new URLSearchParams(Buffer.concat(chunks).toString()) : url.searchParams;
    const [, page, hop] = url.pathname.split('/');
    if (!(hop in hops)) {
      outgoing.writeHead(404);
      return outgoing.end();
    }
    heard.push({ page, method: incoming.method, ...Object.fromEntries(sent) });
    outgoing.writeHead(303, { location: `${hops[hop]}?${new URLSearchParams({ page })}` });
    return outgoing.end();
  });
  await listening(first);
  try {
    return await use({ origin: `http://127.0.0.1:${first.address().port}`, hops, heard });
  } finally {
    for (const server of [first, second]) {
      server.closeAllConnections();
      server.close();
    }
  }
}

/** Waits until what `act` does has led the browser to the second hop; gives what the first one heard. */
async function arrival(page, app, hop, act) {
  const before = app.heard.length;
  const target = app.hops[hop];
  if (target.startsWith(SCHEME)) {
    // There is no such app here, so Chromium gives up; but only after it has turned to that scheme.
    const turned = page.waitForEvent('requestfailed', (sent) => sent.url().startsWith(target));
    await act();
    await turned;
  } else {
    await act();
    await page.waitForURL((url) => url.href.startsWith(target));
    await page.getByRole('heading', { name: 'Arrived' }).waitFor();
  }
  assert.equal(app.heard.length, before + 1, JSON.stringify(app.heard.slice(before)));
  return app.heard.at(-1);
}

/** Each time in another tab: one that has turned to an app's scheme stays where it was. */
async function visit(person, app, hop, mode, client, user) {
  const asked = (parameters) => request(client, { redirectUri: `${app.origin}/cb/${hop}` }, { response_mode: mode, ...parameters });
  const method = mode === 'form_post' ? 'POST' : 'GET';
  const isAnswer = (heard, sent, members) => {
    const { code, iss, ...rest } = heard;
    assert.deepEqual(rest, { page: 'cb', method, state: sent.state, ...members });
    assert.equal(iss, issuer);
    assert.equal(code === undefined, 'error' in (members ?? {}));
  };
  const open = async (url, path) => {
    const page = await person.newPage();
    await page.goto(url);
    await isAt(page, path);
    return page;
  };

  const first = asked();
  const fresh = await open(first.url, '/signin');
  await signIn(fresh, user);
  await isAt(fresh, '/consent');
  isAnswer(await arrival(fresh, app, hop, () => allow(fresh)), first);

  const live = asked();
  const signedIn = await person.newPage();
  // A navigation that ends at an app's scheme ends in an error.
  isAnswer(await arrival(signedIn, app, hop, () => signedIn.goto(live.url).catch(() => {})), live);

  const denied = asked({ prompt: 'consent' });
  const deny = await open(denied.url, '/consent');
  const { error_description: description, ...heard } = await arrival(deny, app, hop, () => deny.locator('#deny').click());
  assert.ok(description);
  isAnswer(heard, denied, { error: 'access_denied' });

  const bye = new URLSearchParams({ client_id: client.clientId, post_logout_redirect_uri: `${app.origin}/bye/${hop}`, state: 'see you' });
  const signOut = await open(`${issuer}/oauth2/logout?${bye}`, '/signout');
  const left = await arrival(signOut, app, hop, () => signOut.locator('#signout').click());
  assert.deepEqual(left, { page: 'bye', method: 'GET', state: 'see you' });

  const again = asked();
  const known = await open(again.url, '/signin');
  isAnswer(await arrival(known, app, hop, () => signIn(known, user)), again);
}

await story(({ person }) => withHops((app) => withUser({}, async (user) => {
  const each = (page) => Object.keys(app.hops).map((hop) => `${app.origin}/${page}/${hop}`);
  const members = {
    name: 'Orchard',
    type: 'private',
    redirectUris: each('cb'),
    postLogoutRedirectUris: each('bye'),
    scopes: ['openid', 'profile', 'email'],
  };
  for (const mode of ['query', 'form_post']) {
    for (const hop of Object.keys(app.hops)) {
      await withClient(members, async (client) => {
        const ann = await person();
        await visit(ann, app, hop, mode, client, user);
        // Chromium launches an app without being asked once, and then waits for a press of a button: its rule, not ours.
        await ann.leave(/user gesture is required/);
      });
    }
    ok(`${mode}: consent, a live session, denial, sign-out and sign-in lead on through the app's callback to any other place`);
  }
  ok('which is another port, another host, and a scheme of its own');
})));
