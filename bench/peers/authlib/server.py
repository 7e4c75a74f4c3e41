"""Authlib's authorization server on Flask, as its documentation builds one: JWT access tokens (RFC 9068).

Each algorithm has its own token endpoint and client. Clients are in a dict, secrets are compared in constant
time, tokens are not stored: nothing but the library's own work is measured.

BENCH_ISSUER, BENCH_KEYS (a JWK set) and BENCH_SECRET come from the environment.
"""

import hmac
import json
import os

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask
from joserfc.jwk import KeySet

ISSUER = os.environ["BENCH_ISSUER"]
SECRET = os.environ["BENCH_SECRET"]
with open(os.environ["BENCH_KEYS"], encoding="utf-8") as file:
    KEYS = KeySet.import_key_set(json.load(file))
PUBLIC = KEYS.as_dict(private=False)


class Client(ClientMixin):
    def __init__(self, client_id):
        self.client_id = client_id

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return ""

    def get_allowed_scope(self, scope):
        return "orders:read"

    def check_client_secret(self, client_secret):
        return hmac.compare_digest(client_secret, SECRET)

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_basic"

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"


class Tokens(JWTBearerTokenGenerator):
    def get_jwks(self):
        return next(key for key in KEYS.keys if key.alg == self.alg)

    def get_audiences(self, client, user, scope):
        return f"https://api.example.com/{self.alg}"


CLIENTS = {name: Client(name) for name in ("bench-RS256", "bench-ES256")}


def server(app, alg):
    made = AuthorizationServer(app, query_client=CLIENTS.get, save_token=lambda token, request: None)
    made.register_token_generator(
        "default", Tokens(ISSUER, alg=alg, expires_generator=lambda client, grant_type: 3600)
    )
    made.register_grant(ClientCredentialsGrant)
    return made


app = Flask(__name__)
SERVERS = {alg: server(app, alg) for alg in ("RS256", "ES256")}


@app.post("/<alg>/token")
def token(alg):
    return SERVERS[alg].create_token_response()


@app.get("/jwks")
def jwks():
    return PUBLIC
