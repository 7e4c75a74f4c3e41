// An app as react-oidc-context describes one: sign-in by redirect and by popup, renewal, sign-out.

import { createRoot } from 'react-dom/client';
import { AuthProvider, useAuth } from 'react-oidc-context';

function App() {
  const auth = useAuth();
  if (auth.isLoading) {
    return <h1>Loading</h1>;
  }
  const session = auth.user && {
    profile: auth.user.profile,
    accessToken: auth.user.access_token,
    refreshToken: auth.user.refresh_token,
  };
  return (
    <>
      <h1>{session ? 'Signed in' : 'Signed out'}</h1>
      {auth.error && <p role="alert">{auth.error.message}</p>}
      <pre>{JSON.stringify(session)}</pre>
      <button type="button" onClick={() => auth.signinRedirect()}>Sign in</button>
      <button type="button" onClick={() => auth.signinPopup()}>Sign in by popup</button>
      <button type="button" onClick={() => auth.signinSilent()}>Renew</button>
      <button type="button" onClick={() => auth.signoutRedirect()}>Sign out</button>
    </>
  );
}

const { issuer, clientId } = window.settings;
createRoot(document.querySelector('main')).render(
  <AuthProvider
    authority={issuer}
    client_id={clientId}
    redirect_uri={`${window.location.origin}/callback`}
    popup_redirect_uri={`${window.location.origin}/callback`}
    post_logout_redirect_uri={`${window.location.origin}/`}
    scope="openid profile email"
    automaticSilentRenew={false}
    onSigninCallback={() => window.history.replaceState({}, '', '/')}
  >
    <App />
  </AuthProvider>,
);
