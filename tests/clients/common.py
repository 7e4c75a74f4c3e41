"""What the Python programs here share: where the server is, how to administer it, and how to say what was shown."""

import json
import os
import time
from contextlib import contextmanager

import requests

TIMEOUT = 15  # seconds, for each request


def check(condition, message):
    """Ends the program when `condition` does not hold. Unlike `assert`, it also works under `python -O`."""
    if not condition:
        raise AssertionError(message)


def equal(found, expected, what):
    check(found == expected, f"{what}: expected {expected!r}, found {found!r}")


def ok(message):
    print(f"ok: {message}", flush=True)


@contextmanager
def raises(kind, what, matches=lambda error: True):
    """Expects the block to raise `kind`, and `matches` to hold for it."""
    try:
        yield
    except kind as error:
        check(matches(error), f"{what}: raised, but not as expected: {error!r}")
        return
    raise AssertionError(f"{what}: {kind.__name__} was expected, nothing was raised")


class Server:
    """The server under test, as its administrator sees it."""

    def __init__(self):
        self.issuer = os.environ["IDENTETY_URL"].rstrip("/")
        with open(os.environ["IDENTETY_ADMIN"], encoding="utf-8") as file:
            self.admin_file = json.load(file)
        self.api_key = self.admin_file["apiKey"]
        self.metadata = self.get(f"{self.issuer}/.well-known/openid-configuration")
        equal(self.metadata["issuer"], self.issuer, "issuer of the discovery document")

    @staticmethod
    def get(url):
        response = requests.get(url, timeout=TIMEOUT)
        equal(response.status_code, 200, f"status of GET {url}")
        return response.json()

    def admin(self, method, path, body=None, expect=200):
        """A request to the administration API with the API key; gives the JSON answer."""
        response = requests.request(
            method,
            f"{self.issuer}/admin{path}",
            json=body,
            headers={"x-api-key": self.api_key},
            timeout=TIMEOUT,
        )
        equal(response.status_code, expect, f"status of {method} {path} ({response.text})")
        return response.json()

    @contextmanager
    def client(self, **members):
        """A registered client, which is gone after the block."""
        client = self.admin("POST", "/clients", members, expect=201)
        try:
            yield client
        finally:
            self.admin("DELETE", f"/clients/{client['id']}")

    def reads_clients(self, token):
        """Asks the administration API for clients with a bearer token; gives the response."""
        return requests.get(
            f"{self.issuer}/admin/clients",
            params={"limit": 1},
            headers={"authorization": f"Bearer {token}"},
            timeout=TIMEOUT,
        )

    def wait_until_refused(self, token, exp):
        """Waits for a token of the administration API to end, at most 10 s beyond `exp`."""
        time.sleep(max(0, min(exp - time.time(), 30)))
        for _ in range(20):
            response = self.reads_clients(token)
            if response.status_code != 200:
                return response
            time.sleep(0.5)
        raise AssertionError("a token that has ended is still accepted")
