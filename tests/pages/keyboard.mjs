// Hands off the mouse.

import assert from 'node:assert/strict';

import { appClient, back, isAt, isRedeemable, ok, request, story, withApp, withClient, withUser } from './common.mjs';

/** Presses Tab until `selector` has the focus, which can be seen; fails when it never comes. */
async function tabTo(page, selector) {
  for (let presses = 0; presses < 20; presses += 1) {
    const focus = await page.evaluate((wanted) => {
      const focused = document.activeElement;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(focused);
      const isSeen = (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
      return { isThere: focused.matches(wanted), isSeen };
    }, selector);
    if (focus.isThere) {
      assert.ok(focus.isSeen, `one cannot see that ${selector} has the focus`);
      return;
    }
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab never gets to ${selector}`);
}

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person();
  const page = await ann.newPage();
  const sent = request(client, app);
  await page.goto(sent.url);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'email', 'the address comes first');
  await tabTo(page, '#email');
  await page.keyboard.type(user.email);
  await tabTo(page, '#password');
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  await tabTo(page, '#password');
  await page.keyboard.type(user.password);
  await tabTo(page, '#submit');
  await page.keyboard.press('Enter');
  await isAt(page, '/consent');
  ok('signing in, after a wrong password, with the keyboard alone');

  await tabTo(page, '#deny');
  await page.keyboard.press('Shift+Tab');
  await tabTo(page, '#allow');
  await page.keyboard.press('Enter');
  await isRedeemable(await back(page, app), client, app, sent);
  ok('consenting with the keyboard alone');

  const named = request(client, app, { prompt: 'login', login_hint: user.email });
  await page.goto(named.url);
  assert.equal(await page.locator('#email').inputValue(), user.email);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'password');
  await page.keyboard.type(user.password);
  await page.keyboard.press('Enter');
  await isRedeemable(await back(page, app), client, app, named);
  ok('with login_hint the address is filled in, and the password comes first');
  await ann.leave();
}))));
