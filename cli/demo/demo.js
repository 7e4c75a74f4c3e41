// A single-page app: the public client `demo` of the server that it came from.

'use strict';

(() => {
  const { UserManager, WebStorageStateStore } = window.oidc;

  const issuer = location.origin;
  const home = `${issuer}/demo`;
  const manager = new UserManager({
    authority: issuer,
    client_id: 'demo',
    redirect_uri: home,
    post_logout_redirect_uri: home,
    scope: 'openid profile email offline_access',
    automaticSilentRenew: false,
    filterProtocolClaims: false,
    // Tokens live as long as this tab, and no other tab or site can read them.
    userStore: new WebStorageStateStore({ store: sessionStorage }),
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
  });

  const at = (id) => document.getElementById(id);
  const buttons = ['sign-in', 'refresh', 'sign-out'].map(at);

  /** What the codes of OAuth and OpenID Connect mean for the person in front of the screen. */
  const WORDS = {
    access_denied: 'You did not allow this app to see your account, so it does not know who you are.',
    login_required: 'Nobody is signed in at the server. Sign in first.',
    consent_required: 'The server has to ask for your consent first. Sign in to see its question.',
    invalid_grant: 'What this app held is no longer valid: it was used, revoked, or it has ended. Sign in again.',
    invalid_scope: 'This app asked for more than it may have.',
    temporarily_unavailable: 'The server is busy. Try again in a moment.',
    server_error: 'The server failed. Its log says why.',
  };

  function inWords(error) {
    const known = WORDS[error?.error];
    const detail = error?.error_description ?? error?.message ?? String(error);
    const code = error?.error ? `${error.error}: ` : '';
    return known ? `${known} (${code}${detail})` : `That did not work. (${code}${detail})`;
  }

  function fail(error) {
    at('error').textContent = inWords(error);
    at('error').hidden = false;
  }

  /** Does something that takes a while: one at a time, and its error is told. */
  async function doing(what, action) {
    at('error').hidden = true;
    at('status').textContent = what;
    buttons.forEach((button) => { button.disabled = true; });
    try {
      await action();
    } catch (error) {
      fail(error);
    } finally {
      if (at('status').textContent === what) {
        at('status').textContent = '';
      }
      buttons.forEach((button) => { button.disabled = false; });
    }
  }

  const TIMES = new Set(['iat', 'exp', 'nbf', 'auth_time', 'updated_at']);
  const clock = (seconds) => new Date(seconds * 1000).toLocaleString();

  function text(name, value) {
    if (TIMES.has(name) && typeof value === 'number') {
      return `${value} (${clock(value)})`;
    }
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  function list(target, pairs) {
    target.replaceChildren(...pairs.map(([name, value, id]) => {
      const row = document.createElement('div');
      const term = document.createElement('dt');
      const description = document.createElement('dd');
      term.textContent = name;
      description.textContent = value;
      if (id) {
        description.id = id;
      }
      row.append(term, description);
      return row;
    }));
  }

  const claims = (object) => Object.entries(object).map(([name, value]) => [name, text(name, value)]);
  const ending = (token) => (token ? `… ${token.slice(-12)}` : 'none');

  /** Asks userinfo (OpenID Connect Core 1.0 §5.3) with the access token. */
  async function userinfo(user) {
    const endpoint = await manager.metadataService.getUserInfoEndpoint();
    const response = await fetch(endpoint, { headers: { authorization: `Bearer ${user.access_token}` } });
    if (!response.ok) {
      throw new Error(`userinfo answered ${response.status}`);
    }
    return response.json();
  }

  async function show(user, refreshedAt) {
    at('signed-out').hidden = Boolean(user);
    at('signed-in').hidden = !user;
    if (!user) {
      return;
    }
    at('who').textContent = 'Signed in';
    list(at('tokens'), [
      ['Access token', ending(user.access_token), 'access-token'],
      ['It ends', clock(user.expires_at), 'expires'],
      ['Refresh token', ending(user.refresh_token), 'refresh-token'],
      ['Scope', user.scope ?? '', 'scope'],
      ['Refreshed', refreshedAt ? refreshedAt.toLocaleString() : 'not yet', 'refreshed'],
    ]);
    list(at('id-token-claims'), claims(user.profile));
    list(at('userinfo-claims'), []);
    const info = await userinfo(user);
    at('who').textContent = `Signed in as ${info.name ?? info.email ?? info.sub}`;
    list(at('userinfo-claims'), claims(info));
  }

  async function refresh() {
    const before = await manager.getUser();
    const after = await manager.signinSilent();
    await show(after, new Date());
    at('status').textContent = before.access_token === after.access_token
      ? 'The server gave the same access token again.'
      : 'The refresh token was used: there is a new access token.';
  }

  /** Signs out here and at the server (OpenID Connect RP-Initiated Logout 1.0). */
  async function signOut() {
    // With a state the server gives one back, by which this page knows why it is shown.
    await manager.signoutRedirect({ state: 'signed out' });
  }

  /** Takes what the server sent the browser back with, and takes it out of the address bar. */
  async function takeAnswer() {
    const answer = new URLSearchParams(location.search);
    const url = location.href;
    if (!answer.has('state')) {
      return;
    }
    history.replaceState(null, '', home);
    if (!answer.has('code') && !answer.has('error')) {
      await manager.signoutCallback(url);
      at('status').textContent = 'You are signed out.';
      return;
    }
    // RFC 9207 §2.4: an answer of another server is not for this app.
    if (answer.get('iss') !== issuer) {
      throw new Error('the answer does not come from this server');
    }
    await manager.signinCallback(url);
  }

  async function start() {
    try {
      await takeAnswer();
    } catch (error) {
      fail(error);
    }
    try {
      await show(await manager.getUser());
    } catch (error) {
      fail(error);
    }
    document.documentElement.dataset.ready = 'true';
  }

  at('sign-in').addEventListener('click', () => doing('Going to the server …', () => manager.signinRedirect()));
  at('refresh').addEventListener('click', () => doing('Refreshing …', refresh));
  at('sign-out').addEventListener('click', () => doing('Signing out …', signOut));
  // The browser may show this page again as it was before it left.
  addEventListener('pageshow', (event) => {
    if (event.persisted) {
      location.reload();
    }
  });
  start();
})();
