// Impatient people: buttons pressed twice.

import assert from 'node:assert/strict';

import { appClient, back, isAt, isRedeemable, issuer, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

await story(({ person }) => withApp((app) => withUser({}, (user) => withClient(appClient(app), async (client) => {
  const ann = await person();
  const page = await ann.newPage();
  const sent = request(client, app);
  await page.goto(sent.url);
  await page.locator('#email').fill(user.email);
  await page.locator('#password').fill(user.password);
  await page.locator('#submit').dblclick({ noWaitAfter: true });
  await isAt(page, '/consent');
  await page.locator('#allow').waitFor();
  ok('a double click on "Sign in" signs in');

  await page.locator('#allow').dblclick({ noWaitAfter: true });
  await isRedeemable(await back(page, app), client, app, sent);
  assert.equal(new Set(app.answers.map(({ code }) => code)).size, 1, 'one decision, one code');
  ok('a double click on "Allow" gives one code, which works');

  // Where nothing is to be asked, the code may be on its way to the app when the second click comes.
  await withClient(appClient(app, { skipConsent: true }), async (own) => {
    for (const delay of [0, 10, 20, 30, 40, 60, 90, 120]) {
      const bob = await person();
      const tab = await bob.newPage();
      const wanted = request(own, app);
      await tab.goto(wanted.url);
      await tab.locator('#email').fill(user.email);
      await tab.locator('#password').fill(user.password);
      await tab.locator('#submit').dblclick({ noWaitAfter: true, delay });
      // The first click's navigation breaks off, so nothing here can wait for one to end.
      for (let looks = 0; looks < 100 && !tab.url().startsWith(app.redirectUri); looks += 1) await tab.waitForTimeout(100);
      await isRedeemable(await back(tab, app), own, app, wanted);
      await bob.leave();
    }
  });
  ok('a double click on "Sign in" leads on to an app of our own, however quick');

  // Beside the page, with its cookies: all of these posts reach the server, and are answered.
  const thrice = request(client, app, { prompt: 'login consent' });
  await page.goto(thrice.url);
  await signIn(page, user);
  await isAt(page, '/consent');
  const fields = await page.locator('form input[type=hidden]').evaluateAll((inputs) => inputs.map(({ name, value }) => [name, value]));
  const post = () => ann.context.request.post(`${issuer}/consent`, {
    form: { ...Object.fromEntries(fields), decision: 'allow' },
    headers: { origin: new URL(issuer).origin },
    maxRedirects: 0,
  });
  const answers = await Promise.all([post(), post(), post()]);
  assert.deepEqual(answers.map((answer) => answer.status()), [303, 303, 303]);
  const places = new Set(answers.map((answer) => answer.headers().location));
  assert.equal(places.size, 1, [...places].join(' '));
  await page.locator('#allow').click();
  const answer = await back(page, app);
  assert.equal(answer.code, new URL([...places][0]).searchParams.get('code'));
  await isRedeemable(answer, client, app, thrice);
  ok('the same decision posted three times at once, and once more, leads to the same code each time');
  await ann.leave();
}))));
