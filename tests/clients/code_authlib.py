"""Users' sign-in with Authlib: the code flow with PKCE for both client types, and all that follows from it.

IDENTETY_URL is the issuer, IDENTETY_ADMIN the path of admin.json.
"""

import base64
import hashlib
import secrets
import time
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from browser import Browser
from common import TIMEOUT, Server, check, equal, ok, raises

REDIRECT = "https://notes.example.com/cb"
SCOPE = "openid profile email phone address offline_access orders:read"
ORDERS = "https://orders.example.com"


def main():
    server = Server()
    discovery(server.metadata)
    with user(server) as ann:
        for kind in ("private", "public"):
            for alg in ("RS256", "ES256"):
                flow(server, ann, kind, alg)
        reuse(server, ann)
        refusals(server, ann)
        revocation(server, ann)
        logout(server, ann)
        end_of_user(server, ann)


def discovery(metadata):
    for name in ("authorization", "token", "userinfo", "revocation", "introspection", "end_session"):
        url = metadata[f"{name}_endpoint"]
        check(url.startswith(f"{metadata['issuer']}/"), f"{name}_endpoint {url} is not under the issuer")
    equal(metadata["response_types_supported"], ["code"], "response_types_supported")
    equal(metadata["code_challenge_methods_supported"], ["S256"], "code_challenge_methods_supported")
    check({"query", "form_post"} <= set(metadata["response_modes_supported"]), "response_modes_supported")
    check({"authorization_code", "refresh_token"} <= set(metadata["grant_types_supported"]), "grant_types_supported")
    equal(metadata["authorization_response_iss_parameter_supported"], True, "RFC 9207")
    check("RS256" in metadata["id_token_signing_alg_values_supported"], "id_token_signing_alg_values_supported")
    check("public" in metadata["subject_types_supported"], "subject_types_supported")
    check("none" in metadata["token_endpoint_auth_methods_supported"], "public clients are not advertised")
    ok("discovery advertises the code flow with S256 and iss, and every endpoint of a user's sign-in")


@contextmanager
def user(server):
    """A user with every claim, who is gone after the block, if not before."""
    password = secrets.token_urlsafe(12)
    members = {
        "email": f"ann.{secrets.token_hex(6)}@example.com",
        "emailVerified": True,
        "phoneNumber": "+431234567",
        "name": "Ann Example",
        "givenName": "Ann",
        "familyName": "Example",
        "locale": "de-AT",
        "address": {"locality": "Wien", "country": "AT"},
    }
    made = server.admin("POST", "/users", {**members, "password": password}, expect=201)
    check("password" not in made, "the answer shows the password")
    try:
        yield {**members, "id": made["id"], "password": password}
    finally:
        gone = requests.delete(
            f"{server.issuer}/admin/users/{made['id']}", headers={"x-api-key": server.api_key}, timeout=TIMEOUT
        )
        check(gone.status_code in (200, 404), f"deleting the user answered {gone.status_code}")


def notes(server, kind="private", **members):
    defaults = {
        "name": "Notes",
        "type": kind,
        "redirectUris": [REDIRECT],
        "postLogoutRedirectUris": ["https://notes.example.com/bye"],
        "scopes": SCOPE.split(),
        "audiences": [ORDERS],
        "accessTokenLifetime": 600,
    }
    return server.client(**{**defaults, **members})


def session(server, client, scope=SCOPE):
    return OAuth2Session(
        client["clientId"],
        client.get("clientSecret"),
        token_endpoint_auth_method="client_secret_basic" if "clientSecret" in client else "none",
        token_endpoint=server.metadata["token_endpoint"],
        revocation_endpoint_auth_method="client_secret_basic" if "clientSecret" in client else "none",
        redirect_uri=REDIRECT,
        scope=scope,
        code_challenge_method="S256",
        default_timeout=TIMEOUT,
    )


def sign_in(server, browser, app, user, **parameters):
    """Sends the user to the server; gives the way back and what the app has to remember."""
    verifier, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    url, state = app.create_authorization_url(
        server.metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **parameters
    )
    back = browser.authorize(url, user)
    check(back.startswith(REDIRECT), f"the browser was sent to {back}")
    answer = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    equal(answer.get("state"), state, "state")
    equal(answer.get("iss"), server.issuer, "iss (RFC 9207)")
    return back, {"verifier": verifier, "nonce": nonce, "code": answer.get("code"), "state": state}


def exchange(app, back, sent):
    # Authlib compares the state of the answer with this one.
    return app.fetch_token(authorization_response=back, code_verifier=sent["verifier"], state=sent["state"])


def flow(server, user, kind, alg):
    with notes(server, kind, idTokenSigningAlg=alg, accessTokenSigningAlg=alg) as client:
        app, browser = session(server, client), Browser(server.issuer)
        before = int(time.time())
        back, sent = sign_in(server, browser, app, user)
        token = exchange(app, back, sent)
        equal(token["token_type"], "Bearer", "token_type")
        equal(token["expires_in"], 600, "expires_in")
        equal(set(token["scope"].split()), set(SCOPE.split()), "scope")
        claims = verify_id_token(server, client, token, sent["nonce"], alg)
        equal(claims["sub"], user["id"], "sub")
        check(before - 1 <= claims["auth_time"] <= time.time() + 1, "auth_time is not now")
        # What the apps show that never ask userinfo.
        told = {"name": user["name"], "given_name": "Ann", "email": user["email"], "email_verified": True}
        equal({name: claims.get(name) for name in told}, told, "what the ID token says of the user")
        check("address" not in claims and "phone_number" not in claims, "address or phone in the ID token")
        verify_access_token(server, client, user, token, alg)

        answer = app.get(server.metadata["userinfo_endpoint"])
        equal(answer.status_code, 200, "status of userinfo")
        info = answer.json()
        expected = {
            "sub": user["id"],
            "email": user["email"],
            "email_verified": True,
            "phone_number": user["phoneNumber"],
            "name": user["name"],
            "given_name": "Ann",
            "family_name": "Example",
            "locale": "de-AT",
            "address": {"locality": "Wien", "country": "AT"},
        }
        equal({name: info.get(name) for name in expected}, expected, "userinfo")
        posted = requests.post(
            server.metadata["userinfo_endpoint"], data={"access_token": token["access_token"]}, timeout=TIMEOUT
        )
        equal(posted.json(), info, "userinfo by POST")
        ok(f"Authlib signed a user in to a {kind} client; ID token ({alg}), access token and userinfo are right")

        refreshed = app.refresh_token(server.metadata["token_endpoint"], refresh_token=token["refresh_token"])
        check(refreshed["access_token"] != token["access_token"], "the same access token again")
        check(refreshed["refresh_token"] != token["refresh_token"], "the refresh token was not rotated")
        verify_access_token(server, client, user, refreshed, alg)
        if "id_token" in refreshed:
            again = verify_id_token(server, client, refreshed, None, alg)
            equal(again["sub"], claims["sub"], "sub after the refresh")
            equal(again["auth_time"], claims["auth_time"], "auth_time after the refresh")
            equal({name: again.get(name) for name in told}, told, "what the ID token says after the refresh")
        narrow = app.refresh_token(
            server.metadata["token_endpoint"], refresh_token=refreshed["refresh_token"], scope="openid email"
        )
        equal(narrow["scope"], "openid email", "scope of the narrower token")
        info = app.get(server.metadata["userinfo_endpoint"]).json()
        check("email" in info and "name" not in info, f"userinfo of the narrower token: {info}")
        wide = app.refresh_token(
            server.metadata["token_endpoint"], refresh_token=narrow["refresh_token"], scope=SCOPE
        )
        equal(set(wide["scope"].split()), set(SCOPE.split()), "scope, back to what was granted")
        ok(f"the {kind} client refreshed its tokens, narrower and back, never the same twice")


def verify_id_token(server, client, token, nonce, alg):
    keys = KeySet.import_key_set(server.get(server.metadata["jwks_uri"]))
    decoded = jwt.decode(token["id_token"], keys, [alg])
    equal(decoded.header["alg"], alg, "alg of the ID token")
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={
            "iss": {"essential": True, "value": server.issuer},
            "aud": {"essential": True, "value": client["clientId"]},
            "auth_time": {"essential": True},
        },
        params={"nonce": nonce, "client_id": client["clientId"], "access_token": token["access_token"]},
    )
    claims.validate(leeway=0)
    # Authlib accepts an ID token without at_hash; ours has it (OpenID Connect Core 1.0 §3.1.3.6).
    digest = hashlib.sha256(token["access_token"].encode()).digest()[:16]
    equal(decoded.claims["at_hash"], base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), "at_hash")
    return decoded.claims


def verify_access_token(server, client, user, token, alg):
    keys = KeySet.import_key_set(server.get(server.metadata["jwks_uri"]))
    decoded = jwt.decode(token["access_token"], keys, [alg])
    equal(decoded.header["typ"], "at+jwt", "typ")
    claims = decoded.claims
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": server.issuer},
        aud={"essential": True, "value": ORDERS},
        sub={"essential": True, "value": user["id"]},
        client_id={"essential": True, "value": client["clientId"]},
        scope={"essential": True, "value": token["scope"]},
        jti={"essential": True},
    ).validate(claims)
    equal(claims["exp"] - claims["iat"], 600, "exp - iat")


def introspect(server, client, token):
    return requests.post(
        server.metadata["introspection_endpoint"],
        data={"token": token},
        auth=(client["clientId"], client["clientSecret"]),
        timeout=TIMEOUT,
    ).json()


def is_dead(server, client, app, token, what):
    """Nothing of a grant works any more, at once."""
    for name in ("access_token", "refresh_token"):
        equal(introspect(server, client, token[name]), {"active": False}, f"introspection of the {name} {what}")
    answer = requests.get(
        server.metadata["userinfo_endpoint"],
        headers={"authorization": f"Bearer {token['access_token']}"},
        timeout=TIMEOUT,
    )
    equal(answer.status_code, 401, f"status of userinfo {what}")
    check('error="invalid_token"' in answer.headers["www-authenticate"], "no invalid_token challenge")
    with raises(OAuthError, f"a refresh {what}", lambda error: error.error == "invalid_grant"):
        app.refresh_token(server.metadata["token_endpoint"], refresh_token=token["refresh_token"])


def reuse(server, user):
    with notes(server) as client:
        app, browser = session(server, client), Browser(server.issuer)
        back, sent = sign_in(server, browser, app, user)
        token = exchange(app, back, sent)
        active = introspect(server, client, token["access_token"])
        equal(active["active"], True, "active")
        equal((active["sub"], active["client_id"]), (user["id"], client["clientId"]), "who the token is about")
        with raises(OAuthError, "a code used twice", lambda error: error.error == "invalid_grant"):
            exchange(session(server, client), back, sent)
        is_dead(server, client, app, token, "after its code was used again")
        ok("a code that is used twice is refused, and ends what it gave")

        back, sent = sign_in(server, browser, app, user)
        old = exchange(app, back, sent)
        new = app.refresh_token(server.metadata["token_endpoint"], refresh_token=old["refresh_token"])
        newest = app.refresh_token(server.metadata["token_endpoint"], refresh_token=new["refresh_token"])
        with raises(OAuthError, "an old refresh token", lambda error: error.error == "invalid_grant"):
            app.refresh_token(server.metadata["token_endpoint"], refresh_token=old["refresh_token"])
        is_dead(server, client, app, newest, "after an old refresh token was used again")
        ok("a refresh token from before the last one is refused, and ends the family")


def refusals(server, user):
    def refused(what, **changes):
        back, sent = sign_in(server, browser, app, user)
        with raises(OAuthError, what, lambda error: error.error == "invalid_grant" and error.description):
            app.fetch_token(**{"code": sent["code"], "code_verifier": sent["verifier"], **changes})

    with notes(server) as client, notes(server) as other:
        app, browser = session(server, client), Browser(server.issuer)
        refused("another verifier", code_verifier=secrets.token_urlsafe(32))
        refused("no verifier", code_verifier=None)
        refused("another redirect URI", redirect_uri="https://notes.example.com/other")
        refused("another code", code=secrets.token_urlsafe(32))
        back, sent = sign_in(server, browser, app, user)
        with raises(OAuthError, "another client", lambda error: error.error == "invalid_grant"):
            exchange(session(server, other), back, sent)
        check(exchange(app, back, sent)["access_token"], "a stranger's try burnt the code")
        ok("a code is for its verifier, redirect URI and client; a stranger's try does not burn it")

        # PKCE downgrade (RFC 9700 §4.8): a verifier for a code that was asked for without a challenge.
        plain = OAuth2Session(
            client["clientId"],
            client["clientSecret"],
            token_endpoint=server.metadata["token_endpoint"],
            redirect_uri=REDIRECT,
            scope=SCOPE,
            default_timeout=TIMEOUT,
        )
        url, state = plain.create_authorization_url(server.metadata["authorization_endpoint"])
        back = browser.authorize(url, user)
        with raises(OAuthError, "a verifier without a challenge", lambda error: error.error == "invalid_grant"):
            plain.fetch_token(authorization_response=back, state=state, code_verifier=secrets.token_urlsafe(32))
        ok("a verifier for a code without challenge is refused")

        app = session(server, client, scope="openid orders:delete")
        back, _ = sign_in(server, browser, app, user)
        equal(parse_qs(urlsplit(back).query)["error"], ["invalid_scope"], "error for a foreign scope")
        ok("a scope outside the allow-list comes back as invalid_scope")


def revocation(server, user):
    with notes(server) as client, notes(server) as other:
        app, browser = session(server, client), Browser(server.issuer)
        endpoint = server.metadata["revocation_endpoint"]
        for name in ("refresh_token", "access_token"):
            back, sent = sign_in(server, browser, app, user)
            token = exchange(app, back, sent)
            stranger = session(server, other).revoke_token(endpoint, token=token[name], token_type_hint=name)
            check(stranger.status_code in (200, 400), f"a stranger's revocation answered {stranger.status_code}")
            equal(introspect(server, client, token[name])["active"], True, "active after a stranger's revocation")
            equal(introspect(server, other, token[name]), {"active": False}, "introspection by a stranger")
            answer = app.revoke_token(endpoint, token=token[name], token_type_hint="access_token")
            equal(answer.status_code, 200, f"status of revoking the {name}")
            if name == "refresh_token":
                is_dead(server, client, app, token, "after its revocation")
            else:
                equal(introspect(server, client, token[name]), {"active": False}, "a revoked access token")
            equal(app.revoke_token(endpoint, token=token[name]).status_code, 200, "status of revoking it again")
        equal(app.revoke_token(endpoint, token="garbage").status_code, 200, "status of revoking garbage")
        ok("revoking a token ends it at once, whatever the hint says; a stranger's revocation does nothing")


def logout(server, user):
    bye = "https://notes.example.com/bye"
    with notes(server) as client:
        app, browser = session(server, client, scope="openid email"), Browser(server.issuer)
        back, sent = sign_in(server, browser, app, user)
        token = exchange(app, back, sent)
        hint = {"id_token_hint": token["id_token"], "client_id": client["clientId"], "state": "later"}

        def leave(**parameters):
            query = requests.Request(
                "GET", server.metadata["end_session_endpoint"], params={**hint, **parameters}
            ).prepare().url
            page = browser.get(query)
            return browser.submit(page) if 'id="signout"' in page.text else page

        page = browser.get(f"{server.metadata['end_session_endpoint']}?post_logout_redirect_uri=https://evil.example/")
        check("evil.example" not in page.headers.get("location", ""), "an open redirect")
        silent = dict(prompt="none")
        _, sent = sign_in(server, browser, app, user, **silent)
        check(sent["code"], "the user is still signed in")
        page = leave(post_logout_redirect_uri=bye)
        equal(page.headers.get("location"), f"{bye}?state=later", "where logout leads")
        _, sent = sign_in(server, browser, app, user, **silent)
        equal(sent["code"], None, "a code after logout")
        is_dead(server, client, app, token, "after logout")
        ok("logout leads back to the app with its state, and ends what was granted without offline_access")


def end_of_user(server, user):
    with notes(server) as client:
        app, browser = session(server, client), Browser(server.issuer)
        back, sent = sign_in(server, browser, app, user)
        token = exchange(app, back, sent)
        server.admin("PATCH", f"/users/{user['id']}", {"isActive": False})
        is_dead(server, client, app, token, "of a disabled user")
        _, sent = sign_in(server, browser, app, user, prompt="none")
        equal(sent["code"], None, "a code for a disabled user")
        server.admin("PATCH", f"/users/{user['id']}", {"isActive": True})

        back, sent = sign_in(server, Browser(server.issuer), app, user)
        server.admin("DELETE", f"/users/{user['id']}")
        with raises(OAuthError, "the code of a deleted user", lambda error: error.error == "invalid_grant"):
            exchange(app, back, sent)
        ok("a disabled user's tokens end at once, and so does the code of a deleted one")


if __name__ == "__main__":
    main()
