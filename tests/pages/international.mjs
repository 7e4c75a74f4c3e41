// Addresses and passwords of any script: Chromium sends what was typed, and the server knows it in each form.

import { randomBytes } from 'node:crypto';

import { allow, appClient, back, isRedeemable, ok, request, signIn, story, withApp, withClient, withUser } from './common.mjs';

const unique = () => randomBytes(6).toString('hex');

await story(({ person }) => withApp((app) => withClient(appClient(app), async (client) => {
  for (const email of [
    `ann.${unique()}@bücher.example`,
    `ann.${unique()}@xn--bcher-kva.example`,
    `jörg.${unique()}@example.com`,
    `jörg.${unique()}@bücher.example`.normalize('NFD'),
  ]) {
    await withUser({ email, password: 'pässwörd für alle' }, async (user) => {
      const ann = await person();
      const page = await ann.newPage();
      const sent = request(client, app);
      await page.goto(sent.url);
      await signIn(page, { ...user, email: email.normalize('NFC') }, user.password.normalize('NFD'));
      await allow(page);
      await isRedeemable(await back(page, app), client, app, sent);
      await ann.leave();
    });
    ok(`${email} is typed as it is read`);
  }
})));
