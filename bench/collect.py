"""Gathers what criterion and `lambda-shape` measured, and what machine and versions it was, into results/."""

import json
import os
import platform
import re
import subprocess
import sys
from datetime import datetime, timezone

from measure import QUICK, ROOT, TARGET, WORK, save
from servers import versions


def quantile(values, part):
    values = sorted(values)
    at = part * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


def in_process():
    """Microseconds for each benchmark of the last run: the median, and the middle half of the samples."""
    results = {}
    for path in sorted((TARGET / "criterion").glob("*/*/new/sample.json")):
        sample = json.loads(path.read_text())
        name = json.loads((path.parent / "benchmark.json").read_text())
        times = [time / count / 1000 for time, count in zip(sample["times"], sample["iters"])]
        results[f"{name['group_id']}/{name['function_id']}"] = {
            "median": quantile(times, 0.5), "q1": quantile(times, 0.25), "q3": quantile(times, 0.75)}
    save("in_process", results)


def lambda_shape():
    """The runs of each program: how the starts and the requests are spread."""
    measured = json.loads((WORK / "lambda.json").read_text())
    groups = {}
    for run in measured["runs"]:
        groups.setdefault((run["name"], run["memory_mb"]), []).append(run)
    results = []
    for (name, memory_mb), runs in groups.items():
        entry = {"name": name, "memory_mb": memory_mb, "starts": len(runs), "bytes": measured["sizes"][name]}
        for member in ("init_ms", "init_services_ms", "init_cpu_ms", "init_calls", "first_ms", "first_cpu_ms",
                       "first_calls", "warm_cpu_ms", "warm_calls", "log_bytes", "answer_bytes", "resident_kib", "idle_resident_kib",
                       "anonymous_kib"):
            entry[member] = spread([run[member] for run in runs if run[member] is not None])
        entry["warm_ms"] = spread([time for run in runs for time in run["warm_ms"]])
        entry["requests"] = sum(len(run["warm_ms"]) for run in runs)
        results.append(entry)
    save("lambda", results)


GROUPS = {
    "aws-lc, the cryptographic library": r"^aws_lc|^aws_lc_rs$|^aws_lc_sys$|^C$",
    "AWS SDK: DynamoDB, KMS, retries, signatures": r"^aws_(sdk_(dynamodb|kms)|smithy|runtime|sigv4|types|cred)",
    "HTTP and TLS: hyper, h2, rustls": r"^(h2|hyper|http|rustls|webpki|untrusted|httparse|tokio_rustls|want)",
    "tracing": r"^(tracing|sharded_slab|memchr|nu_ansi)",
    "Lambda's runtime client": r"^(lambda|aws_lambda|encoding_rs|serde_path|query_map|mime)",
    "serde and JSON": r"^serde",
    "axum and tower": r"^(axum|tower|matchit)",
    "this house": r"^(identety|token|authorize|client_admin|key_rotation)",
    "argon2, hashes and numbers": r"^(argon2|blake2|sha2|hmac|curve|base64|rand|chacha|subtle|zeroize|getrandom)",
}


def size(path):
    """Bytes of the functions and tables of an unstripped program, by what they belong to."""
    lines = subprocess.run(["nm", "-S", "-C", path], capture_output=True, text=True, check=True).stdout.splitlines()
    totals = dict.fromkeys([*GROUPS, "the standard library, and what could not be told"], 0)
    generic = {"core", "alloc", "std", "hashbrown", "tokio", "futures_util", "pin_project_lite", "bytes"}
    for line in lines:
        parts = line.split(None, 3)
        if len(parts) < 4 or len(parts[2]) != 1:
            # Without a size: a label.
            continue
        named = [name for name in re.findall(r"\b([a-z_][a-z0-9_]+)::", parts[3]) if name not in generic]
        crate = named[0] if named else "std" if "::" in parts[3] else "C"
        group = next((name for name, pattern in GROUPS.items() if re.search(pattern, crate)), [*totals][-1])
        totals[group] += int(parts[1], 16)
    sections = subprocess.run(["size", "-A", path], capture_output=True, text=True, check=True).stdout
    of = {words[0]: int(words[1]) for words in map(str.split, sections.splitlines()) if words and words[0][0] == "."}
    save("size", {
        "functions_and_tables": totals,
        "unwinding": sum(of.get(name, 0) for name in (".eh_frame", ".eh_frame_hdr", ".gcc_except_table")),
        "relocations": of.get(".rela.dyn", 0), "text": of[".text"], "rodata": of[".rodata"],
    })


def spread(values):
    if not values:
        return None
    return {"median": quantile(values, 0.5), "q1": quantile(values, 0.25), "q3": quantile(values, 0.75),
            "p95": quantile(values, 0.95), "max": max(values)}


def machine():
    """Where and when this was measured."""
    def lscpu(name):
        text = subprocess.run(["lscpu"], capture_output=True, text=True, env={"LANG": "C", "PATH": "/usr/bin:/bin"})
        found = re.search(rf"(?m)^{name}:\s*(.+)$", text.stdout)
        return found.group(1).strip() if found else "?"

    meminfo = open("/proc/meminfo", encoding="utf-8").read()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    save("machine", {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "commit": commit.stdout.strip(), "quick": QUICK,
        "note": os.environ.get("NOTE", ""),
        "cpu": lscpu("Model name"), "cpu_family": lscpu("CPU family"), "cpu_model": lscpu("Model"),
        "cores": lscpu(r"CPU\(s\)"), "hypervisor": lscpu("Hypervisor vendor"),
        "memory_gib": int(re.search(r"MemTotal:\s+(\d+)", meminfo).group(1)) / 2**20,
        "kernel": platform.release(), "versions": versions(),
    })


if __name__ == "__main__":
    part, *arguments = sys.argv[1:]
    {"in_process": in_process, "lambda": lambda_shape, "machine": machine, "size": size}[part](*arguments)
