"""Identety's own Python SDK against this server: what was written for Identety goes on working.

IDENTETY_URL is the issuer, IDENTETY_ADMIN the path of admin.json.
"""

import asyncio
import uuid
from contextlib import suppress

import requests
from identety import (
    AsyncIdentety,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    Identety,
    NotFoundError,
)
from joserfc import jwt
from joserfc.jwk import KeySet

from common import TIMEOUT, Server, check, equal, ok, raises

CALLBACK = "https://shop.example.com/callback"
SHORT = 5  # seconds, the least that a token may live


def main():
    server = Server()
    options = {"base_url": f"{server.issuer}/admin", "api_key": server.api_key, "timeout": TIMEOUT, "max_retries": 0}
    sdk = Identety(**options)
    made = []
    try:
        # Its token ends while the rest goes on.
        short = new(sdk, made, name="Short", type="m2m", allowed_scopes=["clients:read"], settings=ttl(SHORT))
        token = fetch(server, short)
        equal(server.reads_clients(token["access_token"]).status_code, 200, "status with the short token")

        create(sdk, made)
        read(sdk, made)
        lists(sdk, made)
        update(sdk, made)
        tokens(server, sdk, made)
        refusals(sdk, server, made)
        users(sdk)
        asyncio.run(asynchronously(options))
        delete(sdk, made[1:], server)
        del made[1:]
        the_end(server, sdk, short, token)
    finally:
        for client in made:
            with suppress(NotFoundError):
                sdk.clients.delete(client.id)


def new(sdk, made, **members):
    client = sdk.clients.create(**members)
    made.append(client)
    return client


def ttl(seconds):
    return {"accessTokenTTL": seconds}


def create(sdk, made):
    private = new(
        sdk,
        made,
        name="Shop",
        type="private",
        redirect_uris=[CALLBACK],
        allowed_scopes=["openid", "profile", "orders:read"],
        allowed_grants=["authorization_code", "refresh_token"],
        settings={"accessTokenTTL": 600, "refreshTokenTTL": 86400, "tokenEndpointAuthMethod": "client_secret_post"},
    )
    equal(private.type, "private", "type")
    equal(private.name, "Shop", "name")
    equal(private.redirect_uris, [CALLBACK], "redirect_uris")
    equal(private.allowed_scopes, ["openid", "profile", "orders:read"], "allowed_scopes")
    equal(private.allowed_grants, ["authorization_code", "refresh_token"], "allowed_grants")
    equal(private.is_active, True, "is_active")
    equal(private.settings["accessTokenTTL"], 600, "accessTokenTTL")
    equal(private.settings["refreshTokenTTL"], 86400, "refreshTokenTTL")
    equal(private.settings["tokenEndpointAuthMethod"], "client_secret_post", "tokenEndpointAuthMethod")
    check(private.client_id.startswith("private_"), f"client_id {private.client_id}")
    check(private.client_secret.startswith("private_secret_"), "the private client got no secret")

    m2m = new(sdk, made, name="Nightly", type="m2m", allowed_scopes=["orders:read"], settings=ttl(600))
    check(m2m.client_id.startswith("m2m_"), f"client_id {m2m.client_id}")
    check(m2m.client_secret.startswith("m2m_secret_"), "the m2m client got no secret")
    equal(m2m.allowed_grants, ["client_credentials"], "grants of an m2m client")
    equal(m2m.redirect_uris, [], "redirect_uris of an m2m client")

    public = new(sdk, made, name="App", type="public", redirect_uris=["com.example.shop:/callback"])
    check(public.client_id.startswith("public_"), f"client_id {public.client_id}")
    check(public.client_secret is None, "the public client got a secret")
    equal(public.settings["tokenEndpointAuthMethod"], "none", "tokenEndpointAuthMethod of a public client")
    ok("the SDK made a private, an m2m and a public client; the first two got a secret, the public one none")


def read(sdk, made):
    for client in made:
        again = sdk.clients.retrieve(client.id)
        check(again.client_secret is None, f"the secret of {client.name} is shown again")
        for name in ("id", "client_id", "name", "type", "redirect_uris", "allowed_scopes", "allowed_grants", "settings"):
            equal(getattr(again, name), getattr(client, name), f"{name} of {client.name}")
    ok("retrieve gives what create gave, without the secret")


def lists(sdk, made):
    ours = [client.id for client in made]
    for order, expected in (("desc", ours[::-1]), ("asc", ours)):
        found = []
        for page in range(1, 51):
            answer = sdk.clients.list(
                columns="id,name,client_id,client_secret", limit=2, page=page, sort=order, sort_by="created_at"
            )
            meta = answer.meta
            equal((meta["limit"], meta["page"]), (2, page), "limit and page of the answer")
            check(meta["total"] >= len(ours), f"total {meta['total']}")
            check(len(answer.nodes) <= 2, "more nodes than asked for")
            for node in answer.nodes:
                check(node.id and node.name and node.client_id, "a column that was asked for is missing")
                equal(node.to_dict().keys(), {"id", "name", "clientId"}, "columns of a node")
            found += [node.id for node in answer.nodes if node.id in ours]
            if len(found) >= len(ours) or len(answer.nodes) < 2:
                break
        equal(found, expected, f"our clients in {order} order")
    raw = sdk.clients.with_raw_response.list(columns="client_secret", limit=100).text()
    check("secret_" not in raw and "argon2" not in raw, "a list shows secrets")
    ok("the list pages, sorts, gives the columns asked for, and never a secret")

    def names(page, **sorting):
        return [node.name for node in sdk.clients.list(columns="name", limit=100, page=page, **sorting).nodes]

    by_name = names(1, sort="asc", sort_by="name")
    equal(by_name, sorted(by_name, key=str.lower), "names in order")
    equal(names(1_000), [], "nodes of a page after the last")
    ok("the list sorts by name; a page after the last is empty")


def update(sdk, made):
    private = next(client for client in made if client.type == "private")
    changed = sdk.clients.update(
        private.id, name="Shop 2", allowed_scopes=["openid", "orders:write"], settings=ttl(900)
    )
    for client in (changed, sdk.clients.retrieve(private.id)):
        equal(client.name, "Shop 2", "name after the update")
        equal(client.allowed_scopes, ["openid", "orders:write"], "allowed_scopes after the update")
        equal(client.settings["accessTokenTTL"], 900, "accessTokenTTL after the update")
        equal(client.settings["refreshTokenTTL"], 86400, "refreshTokenTTL, which was not named")
        equal(client.redirect_uris, [CALLBACK], "redirect_uris, which were not named")
        equal(client.client_id, private.client_id, "client_id")
        check(client.client_secret is None, "an update shows a secret")

    whole = sdk.clients.update(private.id, name="Shop 3", settings=changed.settings)
    equal(whole.settings, changed.settings, "settings that were read and written back")
    ok("update changes what it names and nothing else")


def fetch(server, client, expect=200):
    response = requests.post(
        server.metadata["token_endpoint"],
        data={"grant_type": "client_credentials"},
        auth=(client.client_id, client.client_secret),
        timeout=TIMEOUT,
    )
    equal(response.status_code, expect, f"status of the token request of {client.name} ({response.text})")
    return response.json()


def claims_of(server, token):
    keys = KeySet.import_key_set(server.get(server.metadata["jwks_uri"]))
    return jwt.decode(token["access_token"], keys).claims


def tokens(server, sdk, made):
    m2m = next(client for client in made if client.name == "Nightly")
    for seconds in (600, 60):
        token = fetch(server, m2m)
        claims = claims_of(server, token)
        equal(token["expires_in"], seconds, "expires_in")
        equal(claims["exp"] - claims["iat"], seconds, "exp - iat")
        equal(claims["sub"], m2m.client_id, "sub")
        equal(token["scope"], "orders:read", "scope")
        sdk.clients.update(m2m.id, name=m2m.name, settings=ttl(60))
    ok("an m2m client that the SDK made fetches tokens that live as long as its settings say")

    for other in made:
        if other.type == "private":
            equal(fetch(server, other, expect=400)["error"], "unauthorized_client", "error for a private client")
    ok("a private client may not use client_credentials")


def refusals(sdk, server, made):
    with raises(AuthenticationError, "a wrong API key"):
        sdk.with_options(api_key="admin_key_wrong").clients.list(columns="id")
    ok("a wrong API key raises AuthenticationError")

    private = next(client for client in made if client.type == "private")
    nobody = str(uuid.uuid4())
    for what, attempt in {
        "retrieve": lambda: sdk.clients.retrieve(nobody),
        "update": lambda: sdk.clients.update(nobody, name="Nobody"),
        "delete": lambda: sdk.clients.delete(nobody),
        "an id that is none": lambda: sdk.clients.retrieve("1"),
        "a clientId for an id": lambda: sdk.clients.retrieve(private.client_id),
    }.items():
        with raises(NotFoundError, what):
            attempt()
    ok("an unknown client raises NotFoundError")

    def names(*fields):
        def matches(error):
            check(error.response.headers["content-type"] == "application/problem+json", "not a problem+json")
            found = {entry["field"] for entry in error.body["errors"] if entry["message"]}
            return found == set(fields)

        return matches

    def bad(what, fields, **members):
        with raises(BadRequestError, what, names(*fields)):
            made.append(sdk.clients.create(**{"name": "Bad", "type": "private", **members}))

    bad("no name", ["name"], name="")
    bad("an unknown type", ["type"], type="robot")
    bad("a fragment", ["redirectUris[1]"], redirect_uris=[CALLBACK, f"{CALLBACK}#here"])
    bad("plain http", ["redirectUris[0]"], redirect_uris=["http://shop.example.com/callback"])
    bad("redirect_uris of m2m", ["redirectUris"], type="m2m", redirect_uris=[CALLBACK])
    bad("a grant of another type", ["allowedGrants[0]"], allowed_grants=["client_credentials"])
    bad("the implicit grant", ["allowedGrants[0]"], allowed_grants=["implicit"])
    bad("a grant as a scope", ["allowedScopes[0]"], allowed_scopes=["client_credentials"])
    bad("milliseconds", ["settings.accessTokenTTL"], settings=ttl(3_600_000))
    bad("an unknown setting", ["settings.color"], settings={"color": "red"})
    bad("several at once", ["name", "allowedScopes[0]"], name="", allowed_scopes=["a b"])
    bad("an unknown member", ["colour"], extra_body={"colour": "red"})
    with raises(BadRequestError, "another type", names("type")):
        sdk.clients.update(private.id, name=private.name, extra_body={"type": "public"})
    with raises(BadRequestError, "a column that is none", names("columns")):
        sdk.clients.list(columns="password")
    with raises(BadRequestError, "a limit of 1000", names("limit")):
        sdk.clients.list(columns="id", limit=1000)
    ok("bad input raises BadRequestError, whose body names every bad field")


ADDRESS = {
    "street_address": "12 St James's Square",
    "locality": "London",
    "region": "Greater London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}


def person(given_name, family_name, **members):
    """What the SDK wants to know of a user each time."""
    return {
        "given_name": given_name,
        "family_name": family_name,
        "name": f"{given_name} {family_name}",
        "locale": "en-GB",
        "picture": "https://shop.example.com/picture.png",
        "address": ADDRESS,
        "metadata": {"team": "engines"},
        **members,
    }


def users(sdk):
    made = []
    try:
        manage_users(sdk, made)
    finally:
        for user in made:
            with suppress(NotFoundError):
                sdk.users.delete(user.id)


def manage_users(sdk, made):
    def new(email, **members):
        user = sdk.users.create(email=email, password="correct horse", **members)
        made.append(user)
        return user

    # Addresses that no other run of this program has.
    domain = f"{uuid.uuid4()}.example.com"
    ada = new(f"Ada@{domain}", **person("Ada", "Lovelace"))
    grace = new(f"grace@{domain}", **person("Grace", "Hopper", locale="en-US"))
    for user in (ada, sdk.users.retrieve(ada.id)):
        for name, value in person("Ada", "Lovelace", address=None).items():
            if name != "address":
                equal(getattr(user, name), value, name)
        for name, value in ADDRESS.items():
            equal(getattr(user.address, name), value, f"{name} of the address")
        check("correct horse" not in user.to_json(), "the password is shown")
        equal(user.to_dict()["email"], f"Ada@{domain}", "email")
        equal(user.to_dict()["hasPassword"], True, "hasPassword")
    ok("the SDK made users and read them; their passwords are not shown")

    changed = sdk.users.update(ada.id, **person("Augusta", "King", metadata={}))
    for user in (changed, sdk.users.retrieve(ada.id)):
        equal((user.name, user.metadata), ("Augusta King", {}), "name and metadata after the update")
        equal(user.to_dict()["email"], f"Ada@{domain}", "email, which the SDK does not send")
        equal(user.to_dict()["hasPassword"], True, "hasPassword, which the SDK does not send")
    ok("update replaces what the SDK sends, and leaves email and password")

    for order, expected in (("asc", [ada.id, grace.id]), ("desc", [grace.id, ada.id])):
        found = []
        for page in range(1, 51):
            answer = sdk.users.list(
                columns="id,email,phone_number,email_verified", limit=2, page=page, sort=order, sort_by="created_at"
            )
            for node in answer.nodes:
                columns = {"id", "email", "phoneNumber", "emailVerified"}
                equal(node.to_dict().keys(), columns, "columns of a node")
            found += [node.id for node in answer.nodes if node.id in expected]
            if len(answer.nodes) < 2:
                break
        equal(found, expected, f"our users in {order} order")
    for column in ("id", "email", "name", "phone_number", "address", "locale", "created_at", "updated_at"):
        sdk.users.list(columns=column, sort_by="email")
    ok("the list pages, sorts, and knows every column of the SDK")

    with raises(ConflictError, "an email that is taken"):
        new(f"ADA@{domain}", **person("Another", "Ada"))
    with raises(BadRequestError, "a short password", lambda error: error.body["errors"][0]["field"] == "password"):
        made.append(sdk.users.create(email=f"x@{domain}", password="short", **person("X", "Y")))
    with raises(BadRequestError, "no email", lambda error: error.body["errors"][0]["field"] == "email"):
        new("nobody", **person("X", "Y"))
    with raises(NotFoundError, "an unknown user"):
        sdk.users.retrieve(str(uuid.uuid4()))
    ok("bad users raise what bad clients raise")

    for user in (ada, grace):
        before = sdk.users.retrieve(user.id)
        equal(sdk.users.delete(user.id).to_dict(), before.to_dict(), "the user, as it was deleted")
        with raises(NotFoundError, "retrieve after delete"):
            sdk.users.retrieve(user.id)
    new(f"ada@{domain}", **person("Ada", "Again"))
    ok("delete answers with the user as it was; its email is free then")


async def asynchronously(options):
    async with AsyncIdentety(**options) as sdk:
        names = [f"Async {number}" for number in range(5)]
        made = await asyncio.gather(*(sdk.clients.create(name=name, type="m2m") for name in names))
        try:
            equal([client.name for client in made], names, "names")
            equal(len({client.client_id for client in made}), 5, "number of different client_ids")
            first = await sdk.clients.retrieve(made[0].id)
            equal(first.client_id, made[0].client_id, "client_id")
            renamed = await sdk.clients.update(first.id, name="Renamed")
            equal(renamed.name, "Renamed", "name after the update")
            page = await sdk.clients.list(columns="id", limit=100, sort="desc")
            check({client.id for client in made} <= {node.id for node in page.nodes}, "the list misses new clients")
        finally:
            gone = await asyncio.gather(*(sdk.clients.delete(client.id) for client in made))
        equal([client.id for client in gone], [client.id for client in made], "deleted clients")
        with raises(NotFoundError, "a deleted client"):
            await sdk.clients.retrieve(first.id)
        email = f"{uuid.uuid4()}@example.com"
        user = await sdk.users.create(email=email, password="correct horse", **person("Ada", "Lovelace"))
        try:
            changed = await sdk.users.update(user.id, **person("Augusta", "King"))
            equal(changed.name, "Augusta King", "name of the user after the update")
        finally:
            await sdk.users.delete(user.id)
    ok("the asynchronous SDK creates, reads, changes, lists and deletes")


def delete(sdk, clients, server):
    for client in clients:
        before = sdk.clients.retrieve(client.id)
        gone = sdk.clients.delete(client.id)
        equal(gone.to_dict(), before.to_dict(), f"{client.name}, as it was deleted")
        with raises(NotFoundError, "retrieve after delete"):
            sdk.clients.retrieve(client.id)
        with raises(NotFoundError, "delete after delete"):
            sdk.clients.delete(client.id)
        if client.client_secret:
            equal(fetch(server, client, expect=401)["error"], "invalid_client", "error for a deleted client")
    ok("delete answers with the client as it was; then it is gone, for the token endpoint too")


def the_end(server, sdk, short, token):
    claims = claims_of(server, token)
    response = server.wait_until_refused(token["access_token"], claims["exp"])
    equal(response.status_code, 401, "status with a token that has ended")
    check("invalid_token" in response.headers["www-authenticate"], "no invalid_token challenge")
    # It was the token's time that ended, nothing else.
    equal(sdk.clients.retrieve(short.id).is_active, True, "is_active")
    another = fetch(server, short)
    equal(another["expires_in"], SHORT, "expires_in")
    equal(server.reads_clients(another["access_token"]).status_code, 200, "status with another token")
    ok(f"a token that was to live {SHORT} s is refused after that, the next one accepted")


if __name__ == "__main__":
    main()
