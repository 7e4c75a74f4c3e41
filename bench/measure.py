"""What the benchmarks measure with: processes and their CPU and memory, wrk, and the check of tokens."""

import base64
import http.client
import json
import os
import signal
import statistics
import subprocess
import time
import urllib.request
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
WORK = TARGET / "bench"
QUICK = os.environ.get("QUICK") == "1"
"""Where tables, pictures and results are written: what was only tried out replaces nothing."""
OUT = WORK / "tried-out" if QUICK else BENCH
RESULTS = OUT / "results"
"""The core of the server, and the core of those that call it."""
SERVER_CORE, CLIENT_CORE = "0", "1"
TICK = os.sysconf("SC_CLK_TCK")


def profile():
    """The folder of the binaries: those of a release, or the ones that are built in less time."""
    return TARGET / ("quick" if QUICK else "serve")


class Process:
    """A program with its children. Everything that it says goes to a file."""

    def __init__(self, command, name, core=SERVER_CORE, env=None):
        pin = ["taskset", "-c", core] if core else []
        self.log = WORK / f"{name}.log"
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                [*pin, *map(str, command)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                start_new_session=True,
            )

    def tree(self):
        """The ids of the process and its descendants."""
        found, todo = [], [self.child.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    todo.extend(map(int, children.read_text().split()))
                except OSError:
                    pass
        return found

    def cpu(self):
        """Seconds of CPU that the tree has used so far, its ended children included."""
        ticks = 0
        for pid in self.tree():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            ticks += sum(map(int, fields[11:15]))
        return ticks / TICK

    def memory(self):
        """MiB resident: all of the largest process, and of the others what they have for themselves."""
        processes = []
        for pid in self.tree():
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            kib = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
            processes.append((kib["Rss"], kib["Private_Clean"] + kib["Private_Dirty"]))
        largest = max(processes, default=(0, 0))
        return (largest[0] + sum(private for _, private in processes) - largest[1]) / 1024

    def alive(self):
        return self.child.poll() is None

    def stop(self):
        """Ends it, and nothing else: it leads a session of its own."""
        if self.alive():
            os.killpg(self.child.pid, signal.SIGTERM)
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.child.pid, signal.SIGKILL)
                self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def fetch(url, body=None, headers=None):
    """The JSON at a URL."""
    request = urllib.request.Request(url, body, headers or {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def token_now(port, path, body, authorization):
    """A token, or None while there is none to be had."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    headers = {"Authorization": authorization, "Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        return json.loads(text).get("access_token") if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def first_token(process, port, path, body, authorization, since, limit=60):
    """Milliseconds from `since` until there is a token; asked for every two milliseconds."""
    while time.perf_counter() - since < limit:
        if token_now(port, path, body, authorization):
            return (time.perf_counter() - since) * 1000
        if not process.alive():
            break
        time.sleep(0.002)
    raise RuntimeError(f"no token: see {process.log}")


def wrk(url, body, credentials, connections, seconds, core=CLIENT_CORE):
    """One run: what came back, and some tokens. Every answer must hold a token."""
    pin = ["taskset", "-c", core] if core else []
    command = [*pin, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
               "-s", str(BENCH / "token.lua"), url, "--", body, str(credentials)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    good, bad, broken, micros, p50, p95, p99, worst = map(int, line.split()[1:])
    if bad or broken or not good:
        raise RuntimeError(f"{url}: {good} tokens, {bad} other answers, {broken} errors\n{output[-2000:]}")
    result = {
        "tokens": good, "seconds": micros / 1e6, "rps": good / (micros / 1e6),
        "p50_ms": p50 / 1000, "p95_ms": p95 / 1000, "p99_ms": p99 / 1000, "max_ms": worst / 1000,
    }
    return result, [line[6:] for line in output.splitlines() if line.startswith("TOKEN ")]


def run(process, *args, **options):
    """A run of wrk, with what it cost the server."""
    before = process.cpu()
    result, tokens = wrk(*args, **options)
    result["cpu_ms"] = (process.cpu() - before) * 1000 / result["tokens"]
    result["mib"] = process.memory()
    return result, tokens


def document(process, url, connections, seconds):
    """The CPU in ms that an answer costs of which nothing has to be made."""
    before = process.cpu()
    output = subprocess.run(["taskset", "-c", CLIENT_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
                             "-s", str(BENCH / "document.lua"), url], capture_output=True, text=True, check=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    good, bad = map(int, line.split()[1:])
    if bad or not good:
        raise RuntimeError(f"{url}: {good} documents, {bad} other answers or errors")
    return (process.cpu() - before) * 1000 / good


def verify(tokens, jwks, alg, lifetime=3600):
    """Verifies signatures, and that the tokens are what was asked for; how many there were."""
    keys = KeySet.import_key_set({"keys": [{"alg": alg, **key} for key in jwks["keys"]
                                           if key["kty"] == {"R": "RSA", "E": "EC"}[alg[0]]]})
    seen = set()
    for token in tokens:
        claims = jwt.decode(token, keys, algorithms=[alg]).claims
        if claims["exp"] - claims["iat"] != lifetime:
            raise RuntimeError(f"a lifetime of {claims['exp'] - claims['iat']} s")
        seen.add(claims["jti"])
    if not tokens or len(seen) != len(tokens):
        raise RuntimeError(f"{len(tokens)} tokens with {len(seen)} different jti")
    return len(tokens)


def save(name, value):
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(rounded(value), indent=1) + "\n", encoding="utf-8")


def load(name):
    """The newest results; of parts that were not tried out, those that are published."""
    found = next(folder for folder in (RESULTS, BENCH / "results") if (folder / f"{name}.json").exists())
    return json.loads((found / f"{name}.json").read_text(encoding="utf-8"))


def rounded(value):
    """Four significant digits are more than a measurement has."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: rounded(member) for name, member in value.items()}
    return [rounded(member) for member in value] if isinstance(value, list) else value


def median(values):
    return statistics.median(values)
