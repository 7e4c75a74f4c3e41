"""Configures Debian's glewlwyd: SQLite, and its OpenID Connect plugin once for each algorithm."""

import gzip
import json
import os
import re
import sqlite3
import urllib.request
from http.cookiejar import CookieJar


def write(root, folder, port):
    """Its configuration file: the package's sample with our folders, and warnings instead of the request log."""
    with gzip.open(root / "usr/share/doc/glewlwyd/glewlwyd.conf.sample.gz", "rt", encoding="utf-8") as file:
        text = file.read()
    for name, value in {
        "port": port,
        "external_url": f'"http://127.0.0.1:{port}"',
        "log_level": '"WARNING"',
        "cookie_domain": '"127.0.0.1"',
        "cookie_secure": 0,
    }.items():
        text = re.sub(rf"(?m)^{name}\s*=.*$", f"{name}={value}", text)
    text = text.replace('#bind_address', 'bind_address').replace('"/usr/', f'"{root}/usr/')
    text = text.replace("/var/cache/glewlwyd/glewlwyd.db", str(folder / "glewlwyd.db"))
    path = folder / "glewlwyd.conf"
    path.write_text(text, encoding="utf-8")
    (folder / "glewlwyd.db").unlink(missing_ok=True)
    schema = (root / "usr/share/dbconfig-common/data/glewlwyd/install/sqlite3").read_text(encoding="utf-8")
    with sqlite3.connect(folder / "glewlwyd.db") as database:
        database.executescript(schema)
    return path


def environment(root):
    return {**os.environ, "LD_LIBRARY_PATH": str(root / "usr/lib/x86_64-linux-gnu")}


def fill(url, keys, secret):
    """Scope, clients and plugins, through the API as its administrator."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def call(path, body):
        request = urllib.request.Request(f"{url}/api{path}", json.dumps(body).encode(), method="POST")
        request.add_header("content-type", "application/json")
        with opener.open(request) as answer:
            return answer.read()

    call("/auth/", {"username": "admin", "password": "password"})
    call("/scope/", {"name": "orders", "display_name": "Orders", "password_required": False})
    for alg, kind, pem in (("RS256", "rsa", keys["RS256"]), ("ES256", "ecdsa", keys["ES256"])):
        private, public = pem
        call("/mod/plugin/", {
            "module": "oidc", "name": alg, "display_name": alg, "enabled": True,
            "parameters": {
                "iss": url, "jwt-type": kind, "jwt-key-size": "256", "key": private, "cert": public,
                "access-token-duration": 3600, "refresh-token-duration": 1209600, "code-duration": 600,
                "allow-non-oidc": True, "auth-type-client-enabled": True, "jwks-show": True,
            },
        })
        call("/client/", {
            "client_id": f"bench-{alg}", "client_secret": secret, "name": alg, "confidential": True,
            "enabled": True, "authorization_type": ["client_credentials"], "scope": ["orders"],
            "token_endpoint_auth_method": ["client_secret_basic"], "redirect_uri": [],
        })
