// One person, several tabs: transactions do not disturb each other.

import assert from 'node:assert/strict';

import { allow, appClient, back, isAt, isRedeemable, issuer, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

async function open(person, client, app) {
  const page = await person.newPage();
  const sent = request(client, app);
  await page.goto(sent.url);
  await isAt(page, '/signin');
  return { page, sent, client };
}

await story(({ person }) => withApp((app) => withUser({}, (user) =>
  withClient(appClient(app), (one) => withClient(appClient(app, { name: 'Meadow' }), async (other) => {
    const ann = await person();
    const tabs = [await open(ann, one, app), await open(ann, other, app), await open(ann, one, app)];
    const names = await Promise.all(tabs.map(({ page }) => page.getByText('Meadow').count()));
    assert.deepEqual(names.map((count) => count > 0), [false, true, false]);

    // Sign in everywhere first, in the order in which nobody opened them.
    for (const { page } of [tabs[1], tabs[0], tabs[2]]) {
      await page.bringToFront();
      await signIn(page, user);
      await isAt(page, '/consent');
    }
    ok('three tabs with a sign-in page each: all of them can be used, one after the other');

    const codes = new Set();
    for (const { page, sent, client } of tabs) {
      await page.bringToFront();
      await allow(page);
      await page.waitForLoadState();
      // The sign-in of another tab has begun another session, for which the page is shown again.
      if (page.url().startsWith(`${issuer}/consent`)) {
        await allow(page);
      }
      const answer = await back(page, app);
      await isRedeemable(answer, client, app, sent);
      codes.add(answer.code);
    }
    assert.equal(codes.size, 3);
    ok('each gets a code of its own, for its own client, state and PKCE');

    const again = request(one, app);
    const { page } = tabs[0];
    await page.goto(again.url);
    await isRedeemable(await back(page, app), one, app, again);
    ok('afterwards the same request is answered without any page');
    await ann.leave();
  })))));
