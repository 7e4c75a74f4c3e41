"""`identety serve` beside its peers: requests per second, latency, CPU and memory per token, and the start.

The servers take turns in each round, so that whatever else the machine does meets all of them.
"""

import shutil
import tempfile
import time
from pathlib import Path

from measure import QUICK, SERVER_CORE, WORK, document, run, save, verify
from servers import ALGS, Authlib, Glewlwyd, Identety, OidcProvider, peer_keys

ROUNDS, SECONDS, STARTS = (2, 1, 2) if QUICK else (5, 2, 5)
CONNECTIONS = (1, 8, 32)
ALL_CORES_ROUNDS = 1 if QUICK else 3


def pinned(servers):
    """The server on one core, wrk on the other."""
    results, verified, documents = [], 0, []
    for server in servers:
        server.start()
    try:
        for server in servers:
            for alg in ALGS:
                run(server.process, server.url(alg), server.body, server.credentials(alg), 8, 1)
        for number in range(ROUNDS):
            for alg in ALGS:
                for connections in CONNECTIONS:
                    for server in servers[number % len(servers):] + servers[:number % len(servers)]:
                        credentials = server.credentials(alg)
                        result, tokens = run(
                            server.process, server.url(alg), server.body, credentials, connections, SECONDS)
                        verified += verify(tokens[:20], server.jwks(alg), alg)
                        results.append({"round": number, "server": server.name, "alg": alg,
                                        "connections": connections, **result})
            for connections in (8, 32):
                documents.append({"round": number, "connections": connections, "cpu_ms": document(
                    servers[0].process, servers[0].jwks_url("RS256"), connections, SECONDS)})
            print(f"service: round {number + 1} of {ROUNDS}", flush=True)
    finally:
        for server in servers:
            server.stop()
    return results, verified, documents


def all_cores(servers):
    """Nothing is pinned: the server has all the cores that wrk leaves it."""
    results = []
    for number in range(ALL_CORES_ROUNDS):
        for server in servers:
            server.start(core=None)
            try:
                for alg in ALGS:
                    run(server.process, server.url(alg), server.body, server.credentials(alg), 8, 1, core=None)
                    result, tokens = run(
                        server.process, server.url(alg), server.body, server.credentials(alg), 8, SECONDS, core=None)
                    verify(tokens[:20], server.jwks(alg), alg)
                    results.append({"round": number, "server": server.name, "alg": alg, **result})
            finally:
                server.stop()
    return results


def starts(servers):
    """From the start of the process to its first token; what it must read is in the page cache."""
    results = []
    for _ in range(STARTS):
        for server in servers:
            results.append({"server": server.name, "ms": server.start(SERVER_CORE)})
            server.stop()
    return results


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    keys, pems = peer_keys()
    identety = [Identety()]
    if Identety.can_cache():
        identety.append(Identety("identety-cache", "identety, ClientCacheSeconds 60", cache=60, port=18084))
    in_memory = Path(tempfile.mkdtemp(prefix="identety-bench-", dir="/dev/shm"))
    glewlwyd = [Glewlwyd(pems), Glewlwyd(pems, "glewlwyd-memory", "glewlwyd, its database in memory", in_memory, 18085)]
    servers = [*identety, OidcProvider(keys), Authlib(keys), *glewlwyd]
    try:
        compare(servers, [*identety, OidcProvider(keys), OidcProvider(keys, 2), Authlib(keys, 2), *glewlwyd])
    finally:
        shutil.rmtree(in_memory)


def compare(servers, on_all):
    for server in servers:
        server.prepare()
    since = time.time()
    results, verified, documents = pinned(servers)
    started = starts(servers)
    on_all_cores = all_cores(on_all)
    labels = {server.name: server.label for server in servers}
    labels |= {"oidc-provider-2": "oidc-provider, 2 processes", "authlib-2": "authlib, 2 processes"}
    save("service", {
        "rounds": ROUNDS, "seconds": SECONDS, "took_seconds": time.time() - since, "tokens_verified": verified,
        "labels": labels, "pinned": results, "documents": documents, "starts": started, "all_cores": on_all_cores,
    })


if __name__ == "__main__":
    main()
