// A wrong password, and an account that does not exist: nobody can tell one from the other.

import assert from 'node:assert/strict';

import { allow, appClient, back, isAt, isRedeemable, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

/** Fails to sign in; gives what the page then is, without what is random or was typed. */
async function fails(page, user, password) {
  const answered = page.waitForResponse((response) => response.request().method() === 'POST');
  await signIn(page, user, password);
  const response = await answered;
  const alert = page.getByRole('alert');
  await alert.waitFor();
  assert.equal(await page.locator('#email').inputValue(), user.email, 'the address is kept');
  assert.equal(await page.locator('#password').inputValue(), '', 'the password is not');
  const html = (await page.content())
    .replace(/value="[^"]*"/g, 'value=""')
    .replace(/transaction=[\w-]+/g, 'transaction=');
  return { status: response.status(), message: await alert.textContent(), html };
}

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person();
  const page = await ann.newPage();
  const sent = request(client, app);
  await page.goto(sent.url);
  const wrong = await fails(page, user, 'not the password');
  ok(`a wrong password is told in words: ${wrong.message}`);

  const unknown = await fails(page, { email: 'nobody@example.com' }, 'not the password');
  assert.deepEqual(unknown, wrong);
  ok('an account that does not exist is answered with the same status, words and page');

  // The browser itself would refuse such an address; others do not.
  await page.locator('form').evaluate((form) => { form.noValidate = true; });
  await fails(page, { email: '"><b>x@example.com' }, 'x');
  assert.equal(await page.locator('b').count(), 0);
  ok('markup in the address stays text');

  assert.equal(app.answers.length, 0);
  await isAt(page, '/signin');
  await signIn(page, { ...user, email: user.email.toUpperCase() });
  await allow(page);
  await isRedeemable(await back(page, app), client, app, sent);
  ok('after that the right password still works, whatever the case of the address');
  await ann.leave();
}))));
