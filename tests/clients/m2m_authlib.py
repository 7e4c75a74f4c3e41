"""Machine to machine with Authlib: fetches tokens, verifies them, and meets every refusal.

IDENTETY_URL is the issuer, IDENTETY_ADMIN the path of admin.json.
"""

import time
import uuid

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6750.errors import InsufficientScopeError, InvalidTokenError
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from common import TIMEOUT, Server, check, equal, ok, raises

AUDIENCE = "https://orders.example.com"
SCOPES = ["orders:read", "orders:write"]
LIFETIME = 1200


def main():
    server = Server()
    discovery(server)
    jwks = server.get(server.metadata["jwks_uri"])
    only_public_keys(jwks)
    for alg in ("RS256", "ES256"):
        tokens(server, jwks, alg)
    resource_server(server, jwks)
    refusals(server)
    rotation(server)
    disabling(server)
    administration(server)


def discovery(server):
    other = server.get(f"{server.issuer}/.well-known/oauth-authorization-server")
    equal(other, server.metadata, "the two discovery documents")
    for name in ("token_endpoint", "jwks_uri"):
        url = server.metadata[name]
        check(url.startswith(f"{server.issuer}/"), f"{name} {url} is not under the issuer")
    check("client_credentials" in server.metadata["grant_types_supported"], "client_credentials is not advertised")
    ok("both discovery documents name this issuer and endpoints under it")


def only_public_keys(jwks):
    keys = jwks["keys"]
    kids = [key["kid"] for key in keys]
    equal(len(set(kids)), len(kids), "number of different key ids")
    for key in keys:
        equal(key["use"], "sig", f"use of key {key['kid']}")
        secret = {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()
        check(not secret, f"key {key['kid']} has private members: {sorted(secret)}")
    for alg in ("RS256", "ES256"):
        check(any(key["alg"] == alg for key in keys), f"no key for {alg}")
    ok(f"the JWKS has {len(keys)} keys, all of them public, for RS256 and ES256")


def session(server, client, method="client_secret_basic", secret=None, scope=None):
    return OAuth2Session(
        client["clientId"],
        secret or client["clientSecret"],
        token_endpoint_auth_method=method,
        token_endpoint=server.metadata["token_endpoint"],
        scope=scope,
        default_timeout=TIMEOUT,
    )


def fetch(server, client, **options):
    return session(server, client, **options).fetch_token(grant_type="client_credentials")


def refused(server, client, error, what, **options):
    with raises(OAuthError, what, lambda found: found.error == error and found.description):
        fetch(server, client, **options)


def orders_client(server, **members):
    defaults = {
        "name": "Authlib",
        "type": "m2m",
        "scopes": SCOPES,
        "audiences": [AUDIENCE],
        "accessTokenLifetime": LIFETIME,
    }
    return server.client(**{**defaults, **members})


def tokens(server, jwks, alg):
    with orders_client(server, accessTokenSigningAlg=alg) as client:
        check(client["clientId"].startswith("m2m_"), f"clientId {client['clientId']}")
        check(client["clientSecret"].startswith("m2m_secret_"), "the secret does not say what it is")
        seen = set()
        for method in ("client_secret_basic", "client_secret_post"):
            for asked, granted in (("orders:read", "orders:read"), (None, " ".join(SCOPES))):
                token = fetch(server, client, method=method, scope=asked)
                verify(server, jwks, client, token, alg, granted)
                seen.add(token["access_token"])
            ok(f"Authlib fetched {alg} tokens with {method}, joserfc verified them")
        ids = {jwt.decode(token, KeySet.import_key_set(jwks), [alg]).claims["jti"] for token in seen}
        equal(len(ids), 4, "number of different jti among four tokens")


def verify(server, jwks, client, token, alg, scope):
    equal(token["token_type"], "Bearer", "token_type")
    equal(token["expires_in"], LIFETIME, "expires_in")
    equal(token["scope"], scope, "scope of the answer")
    check("refresh_token" not in token, "client_credentials must not give a refresh token (RFC 6749 §4.4.3)")

    keys = KeySet.import_key_set(jwks)
    decoded = jwt.decode(token["access_token"], keys, [alg])
    equal(decoded.header["typ"], "at+jwt", "typ")
    equal(decoded.header["alg"], alg, "alg")
    check(decoded.header["kid"] in {key.kid for key in keys.keys}, "kid is not in the JWKS")

    claims = decoded.claims
    # Checks exp and nbf too, against this machine's clock.
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": server.issuer},
        aud={"essential": True, "value": AUDIENCE},
        sub={"essential": True, "value": client["clientId"]},
        client_id={"essential": True, "value": client["clientId"]},
        scope={"essential": True, "value": scope},
        jti={"essential": True},
        iat={"essential": True},
        exp={"essential": True},
    ).validate(claims)
    equal(claims["exp"] - claims["iat"], LIFETIME, "exp - iat")
    check(abs(claims["iat"] - time.time()) < 60, "iat is not now")

    with raises(BadSignatureError, "a token with another signature"):
        head, payload, signature = token["access_token"].split(".")
        flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
        jwt.decode(f"{head}.{payload}.{flipped}", keys, [alg])


def resource_server(server, jwks):
    """An API that Authlib protects, as RFC 9068 §4 says."""

    class Validator(JWTBearerTokenValidator):
        def get_jwks(self):
            return KeySet.import_key_set(jwks)

    def judge(token, needed, audience=AUDIENCE, issuer=server.issuer):
        validator = Validator(issuer=issuer, resource_server=audience)
        validator.validate_token(validator.authenticate_token(token), needed, request=None)

    with orders_client(server) as client:
        token = fetch(server, client, scope="orders:read")["access_token"]
        judge(token, ["orders:read"])
        with raises(InsufficientScopeError, "a scope that was not asked for"):
            judge(token, ["orders:write"])
        with raises(InvalidTokenError, "a token for another API"):
            judge(token, ["orders:read"], audience="https://billing.example.com")
        with raises(InvalidTokenError, "a token of another issuer"):
            judge(token, ["orders:read"], issuer="https://login.example.com")
    ok("Authlib's RFC 9068 validator accepts the token for its API and scope, and for no other")


def refusals(server):
    with orders_client(server) as client, orders_client(server) as other:
        for method in ("client_secret_basic", "client_secret_post"):
            for secret in ("wrong", client["clientSecret"][:-1], other["clientSecret"]):
                refused(server, client, "invalid_client", "a wrong secret", method=method, secret=secret)
        nobody = {"clientId": f"m2m_{uuid.uuid4().hex[:24]}", "clientSecret": client["clientSecret"]}
        refused(server, nobody, "invalid_client", "an unknown client")
        ok("a wrong secret and an unknown client are invalid_client")

        for scope in ("orders:delete", "orders:read orders:delete", "openid", "clients:write"):
            refused(server, client, "invalid_scope", f"scope {scope}", scope=scope)
        ok("a scope outside the allow-list is invalid_scope, never a silent subset")

        with raises(OAuthError, "a foreign resource", lambda error: error.error == "invalid_target"):
            session(server, client).fetch_token(
                grant_type="client_credentials", resource="https://billing.example.com"
            )
        with raises(OAuthError, "the password grant", lambda error: error.error == "unsupported_grant_type"):
            session(server, client).fetch_token(grant_type="password", username="ann", password="secret")
        ok("a foreign resource is invalid_target, the password grant unsupported_grant_type")
    refused(server, client, "invalid_client", "a deleted client")
    ok("a deleted client is refused at once")


def rotation(server):
    with orders_client(server) as client:
        path = f"/clients/{client['id']}/secrets"
        old, old_id = client["clientSecret"], client["secrets"][0]["id"]
        rotated = server.admin("POST", path, {}, expect=201)
        new, new_id = rotated["clientSecret"], rotated["id"]
        check(new != old and new_id != old_id, "the rotation gave the old secret")
        for secret in (old, new):
            fetch(server, client, secret=secret)
        server.admin("POST", path, {}, expect=409)
        ok("after a rotation the old and the new secret work, and there is no third")

        server.admin("DELETE", f"{path}/{old_id}")
        refused(server, client, "invalid_client", "the deleted secret", secret=old)
        fetch(server, client, secret=new)
        server.admin("DELETE", f"{path}/{new_id}", expect=409)
        fetch(server, client, secret=new)
        ok("a deleted secret is refused at once; the last one cannot be deleted")

        newest = server.admin("POST", path, {"expirePreviousIn": 0}, expect=201)["clientSecret"]
        refused(server, client, "invalid_client", "the secret that was given an end", secret=new)
        fetch(server, client, secret=newest)
        ok("expirePreviousIn 0 ends the previous secret at once")

        shown = server.admin("GET", f"/clients/{client['id']}")
        text = str(shown)
        check(not any(secret in text for secret in (old, new, newest)), "a secret is shown again")
        check("$argon2" not in text, "a hash is shown")
        equal(shown["secrets"][-1]["hint"], newest[-4:], "hint of the newest secret")
        ok("reading the client shows hints, neither secrets nor hashes")


def disabling(server):
    with orders_client(server) as client:
        path = f"/clients/{client['id']}"
        fetch(server, client)
        equal(server.admin("PATCH", path, {"isActive": False})["isActive"], False, "isActive")
        for method in ("client_secret_basic", "client_secret_post"):
            refused(server, client, "invalid_client", "a disabled client", method=method)
        server.admin("PATCH", path, {"isActive": True})
        fetch(server, client)
        ok("a disabled client is refused at once, and works again once enabled")


def administration(server):
    """The administration API is an OAuth API like any other: Authlib's session sends the token along."""
    admin = {"clientId": server.admin_file["clientId"], "clientSecret": server.admin_file["clientSecret"]}
    own = session(server, admin, scope="clients:read")
    own.fetch_token(grant_type="client_credentials")
    response = own.get(f"{server.issuer}/admin/clients", params={"limit": 1})
    equal(response.status_code, 200, "status of GET /admin/clients with a token")
    response = own.post(f"{server.issuer}/admin/clients", json={"name": "No", "type": "m2m"})
    equal(response.status_code, 403, "status of POST /admin/clients with clients:read alone")
    check("insufficient_scope" in response.headers["www-authenticate"], "no insufficient_scope challenge")
    ok("Authlib's session administers with a token, as far as its scope goes")

    with orders_client(server) as client:
        response = server.reads_clients(fetch(server, client)["access_token"])
        equal(response.status_code, 401, "status of GET /admin/clients with a token for another API")
        check("invalid_token" in response.headers["www-authenticate"], "no invalid_token challenge")
    ok("a token for another API does not administer")

    with server.client(name="Reader", type="m2m", scopes=["clients:read"]) as reader:
        token = fetch(server, reader)["access_token"]
        equal(server.reads_clients(token).status_code, 200, "status with the reader's token")
        server.admin("PATCH", f"/clients/{reader['id']}", {"isActive": False})
        equal(server.reads_clients(token).status_code, 401, "status with a disabled reader's token")
    ok("a disabled administrator's token is refused at once")

    for headers in ({}, {"x-api-key": "admin_key_wrong"}):
        response = requests.get(f"{server.issuer}/admin/clients", headers=headers, timeout=TIMEOUT)
        equal(response.status_code, 401, f"status of GET /admin/clients with headers {headers}")
    ok("nobody and a wrong API key are refused")


if __name__ == "__main__":
    main()
