"""Registries of 1 to 1 000 000 clients: what a token takes and how much memory `serve` has must not grow."""

import os
import shutil
import subprocess
import time

from measure import QUICK, TARGET, WORK, Process, first_token, profile, run, save, token_now, verify
from measure import fetch

SIZES = (1, 1_000, 20_000) if QUICK else (1, 1_000, 100_000, 1_000_000)
SAMPLE, ALG = 1_000, "ES256"
ROUNDS, SECONDS = (2, 1) if QUICK else (5, 2)
FORM = "grant_type=client_credentials"


class Registry:
    """A data folder with so many clients, and the server on it."""

    def __init__(self, number, size):
        self.size, self.port = size, 18100 + number
        self.data = WORK / f"scale-{size}"
        self.credentials = WORK / f"scale-{size}.credentials"

    def command(self):
        return [profile() / "identety", "serve", "--port", self.port, "--data", self.data, "--log", "warn"]

    def fill(self):
        """A first start makes the folder; then the clients are written past the server, which is not running."""
        shutil.rmtree(self.data, ignore_errors=True)
        with Process(self.command(), f"scale-{self.size}") as process:
            while b"Ctrl-C" not in process.log.read_bytes():
                if not process.alive():
                    raise RuntimeError(process.log.read_text())
                time.sleep(0.05)
        since = time.time()
        with open(self.credentials, "w", encoding="utf-8") as file:
            command = [TARGET / "quick/fill", self.data, str(self.size), str(SAMPLE), ALG]
            subprocess.run(command, check=True, stdout=file)
        self.filled_in = time.time() - since
        self.bytes = sum(file.stat().st_size for file in self.data.iterdir())

    def start(self):
        shown = self.credentials.read_text(encoding="utf-8").splitlines()
        since = time.perf_counter()
        self.process = Process(self.command(), f"scale-{self.size}")
        self.first_ms = first_token(self.process, self.port, "/oauth2/token", FORM, shown[0], since)
        self.start_mib = self.process.memory()
        # Every client shows its secret once: the first use is written down, and the match is remembered.
        for authorization in shown:
            if not token_now(self.port, "/oauth2/token", FORM, authorization):
                raise RuntimeError(f"no token for {authorization}")

    def measure(self):
        url = f"http://127.0.0.1:{self.port}/oauth2/token"
        result, tokens = run(self.process, url, FORM, self.credentials, 1, SECONDS)
        verify(tokens[:20], fetch(f"http://127.0.0.1:{self.port}/.well-known/jwks.json"), ALG)
        return {"clients": self.size, **result}


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    registries = [Registry(number, size) for number, size in enumerate(SIZES)]
    runs = []
    try:
        for registry in registries:
            if os.environ.get("KEEP") == "1" and registry.credentials.exists():
                registry.filled_in, registry.bytes = None, sum(f.stat().st_size for f in registry.data.iterdir())
            else:
                registry.fill()
            print(f"scale: {registry.size} clients are there", flush=True)
        for registry in registries:
            registry.start()
        for number in range(ROUNDS):
            for registry in registries:
                runs.append({"round": number, **registry.measure()})
    finally:
        for registry in registries:
            if hasattr(registry, "process"):
                registry.process.stop()
    save("scale", {
        "rounds": ROUNDS, "seconds": SECONDS, "sample": SAMPLE, "alg": ALG, "runs": runs,
        "registries": [{"clients": it.size, "first_ms": it.first_ms, "start_mib": it.start_mib,
                        "store_mib": it.bytes / 2**20, "filled_in_seconds": it.filled_in} for it in registries],
    })


if __name__ == "__main__":
    main()
