"""Gathers what criterion and `lambda-shape` measured, and what machine and versions it was, into results/."""

import json
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
        groups.setdefault((run["name"], run["share"]), []).append(run)
    results = []
    for (name, share), runs in groups.items():
        entry = {"name": name, "share": share, "starts": len(runs), "bytes": measured["sizes"][name]}
        for member in ("init_ms", "init_services_ms", "init_cpu_ms", "init_calls", "first_ms", "first_cpu_ms",
                       "first_calls", "warm_cpu_ms", "warm_calls", "resident_kib", "idle_resident_kib",
                       "anonymous_kib"):
            entry[member] = spread([run[member] for run in runs if run[member] is not None])
        entry["warm_ms"] = spread([time for run in runs for time in run["warm_ms"]])
        entry["requests"] = sum(len(run["warm_ms"]) for run in runs)
        results.append(entry)
    save("lambda", results)


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
        "cpu": lscpu("Model name"), "cpu_family": lscpu("CPU family"), "cpu_model": lscpu("Model"),
        "cores": lscpu(r"CPU\(s\)"), "hypervisor": lscpu("Hypervisor vendor"),
        "memory_gib": int(re.search(r"MemTotal:\s+(\d+)", meminfo).group(1)) / 2**20,
        "kernel": platform.release(), "versions": versions(),
    })


if __name__ == "__main__":
    {"in_process": in_process, "lambda": lambda_shape, "machine": machine}[sys.argv[1]]()
