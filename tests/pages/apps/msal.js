// An app as the documentation of msal-browser describes one, for an OpenID provider that is not Microsoft's.

import { PublicClientApplication } from '@azure/msal-browser';

const { issuer, clientId } = window.settings;
const main = document.querySelector('main');

const app = new PublicClientApplication({
  auth: {
    clientId,
    authority: issuer,
    knownAuthorities: [new URL(issuer).host],
    redirectUri: `${window.location.origin}/`,
    postLogoutRedirectUri: `${window.location.origin}/`,
  },
  system: { protocolMode: 'OIDC' },
});

function show(title, content) {
  main.replaceChildren();
  const heading = main.appendChild(document.createElement('h1'));
  heading.textContent = title;
  const details = main.appendChild(document.createElement('pre'));
  details.textContent = JSON.stringify(content ?? null);
  for (const [name, act] of Object.entries(ACTIONS)) {
    const button = main.appendChild(document.createElement('button'));
    button.textContent = name;
    button.addEventListener('click', () => act().catch((error) => show('Failed', error.message)));
  }
}

const scopes = ['openid', 'profile', 'email'];
const state = () => {
  const [account] = app.getAllAccounts();
  return account && { name: account.name, username: account.username, claims: account.idTokenClaims };
};
const ACTIONS = {
  'Sign in': () => app.loginRedirect({ scopes }),
  Renew: async () => {
    const result = await app.acquireTokenSilent({ scopes, account: app.getAllAccounts()[0], forceRefresh: true });
    show('Renewed', { token: result.accessToken, claims: result.idTokenClaims });
  },
  'Sign out': () => app.logoutRedirect(),
  'Sign out with a hint': () => {
    const [account] = app.getAllAccounts();
    return app.logoutRedirect({ account, idTokenHint: account.idToken });
  },
};

async function start() {
  await app.initialize();
  await app.handleRedirectPromise();
  const account = state();
  show(account ? 'Signed in' : 'Signed out', account);
}

start().catch((error) => show('Failed', error.message));
