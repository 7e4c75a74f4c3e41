// A browser as far as plain HTML forms need one: cookies, redirects, and the fields of a form.

import assert from 'node:assert/strict';

import { TIMEOUT, issuer } from './common.mjs';

/** The entities that our pages write. */
const ENTITIES = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#34;': '"', '&#38;': '&', '&#39;': "'", '&#60;': '<', '&#62;': '>' };
const decoded = (text) => text.replace(/&(#\d+|[a-z]+);/g, (entity) => ENTITIES[entity] ?? entity);

export class Browser {
  #cookies = new Map();

  /** Goes to `url` and follows redirects as long as they stay at the server. */
  async get(url) {
    return this.#follow(await this.#send(url, { method: 'GET' }));
  }

  /** Fills in the form of a page, presses a button, and follows as `get` does. */
  async submit(page, fields = {}) {
    const action = page.body.match(/<form[^>]*\baction="([^"]*)"/);
    assert.ok(action, `no form:\n${page.body}`);
    const hidden = [...page.body.matchAll(/<input[^>]*\btype="hidden"[^>]*>/g)].map(([input]) => [
      decoded(input.match(/\bname="([^"]*)"/)[1]),
      decoded(input.match(/\bvalue="([^"]*)"/)[1]),
    ]);
    const body = new URLSearchParams([...hidden, ...Object.entries(fields)]);
    return this.#follow(await this.#send(new URL(decoded(action[1]), page.url).href, { method: 'POST', body }));
  }

  /** Signs in and consents where that is asked; gives the page or the way back to the app. */
  async authorize(url, user) {
    let page = await this.get(url);
    if (page.is('/signin')) {
      page = await this.submit(page, { email: user.email, password: user.password });
    }
    if (page.is('/consent')) {
      page = await this.submit(page, { decision: 'allow' });
    }
    return page;
  }

  async #follow(page) {
    let current = page;
    for (let step = 0; current.location?.startsWith(`${issuer}/`); step += 1) {
      assert.ok(step < 10, `redirected again and again: ${current.location}`);
      current = await this.#send(current.location, { method: 'GET' });
    }
    return current;
  }

  async #send(url, options) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      ...options,
      headers: { ...(cookie && { cookie }), origin: issuer },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT * 1000),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(';').map((part) => part.trim());
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      const ends = value === '' || attributes.some((attribute) => /^max-age=0$/i.test(attribute));
      if (ends) {
        this.#cookies.delete(name);
      } else {
        this.#cookies.set(name, value);
      }
    }
    const location = response.headers.get('location');
    return {
      url,
      status: response.status,
      headers: response.headers,
      body: await response.text(),
      location: location && new URL(location, url).href,
      is: (path) => new URL(url).pathname === new URL(issuer + path).pathname,
    };
  }
}
