"""Writes the table of docs/cost.md from list prices and from what was measured (results/lambda.json)."""

import math
import re

from measure import BENCH, OUT, QUICK, load

# Dollars, us-east-1, without free tiers and without tiers for large amounts.
API_REQUEST = 1.00 / 1e6
LAMBDA_REQUEST = 0.20 / 1e6
LAMBDA_GB_SECOND = 0.0000133334  # arm64
READ_UNIT = 0.125 / 1e6  # DynamoDB, on demand
LOG_GB = 0.50
KMS_SIGN_RSA = 0.03 / 1e4
KMS_SIGN_EC = 0.15 / 1e4

TRANSFER_GB = 0.09  # from AWS to the internet

MEMORY_MB = 512
# What DynamoDB takes on its own side, which was not measured: AWS says single-digit milliseconds.
DYNAMODB_MS = 3.0
# The bytes that CloudWatch counts for each event beside its text, and of lines that are not ours.
LOG_EVENT, LAMBDA_LINES, ACCESS_LINE = 26, 530, 356
# What API Gateway adds to an answer: date, request id, length.
GATEWAY_HEADERS = 120
MILLION = 1e6


def measurements(name):
    """What was measured of a function, by the megabytes of its memory."""
    found = {run["memory_mb"]: run for run in load("lambda") if run["name"] == name}
    if MEMORY_MB not in found:
        raise SystemExit(f"no measurement of {name} with {MEMORY_MB} MB")
    return found


def time(run, memory_mb):
    """The work of a warm request in ms, the time that is billed for it, and the dollars of a million."""
    own = run["warm_ms"]["median"]
    billed = math.ceil(own + DYNAMODB_MS)
    return own, billed, MILLION * billed / 1000 * memory_mb / 1024 * LAMBDA_GB_SECOND


def dollars(value):
    return f"{value:.3f}" if value < 0.2 else f"{value:.2f}"


def memory_table(runs):
    rows = []
    for memory_mb in sorted(mb for mb in runs if mb <= 1024):
        run = runs[memory_mb]
        own, billed, cost = time(run, memory_mb)
        start = run["init_ms"]["median"] + run["first_ms"]["median"]
        rows.append(f"| {memory_mb} | {own:.2f} | {run['warm_ms']['p95']:.2f} | {billed} | {dollars(cost)} | {start:.0f} |")
    heads = ["| MB | work of a warm request, ms | p95 | billed, ms | $ for a million | a start and its first request, ms |",
             "|---:|---:|---:|---:|---:|---:|"]
    return "\n".join(heads + rows)


def main():
    runs = measurements("token RS256")
    run = runs[MEMORY_MB]
    own, billed, lambda_time = time(run, MEMORY_MB)
    lines = {"the function's own line": round(run["log_bytes"]["median"]) + LOG_EVENT,
             "Lambda's start and report": LAMBDA_LINES, "the API's access log": ACCESS_LINE}
    answer = round(run["answer_bytes"]["median"]) + GATEWAY_HEADERS
    lines = [
        ("HTTP API", "1 request", MILLION * API_REQUEST),
        ("Lambda, requests", "1 request", MILLION * LAMBDA_REQUEST),
        ("Lambda, time", f"{own:.2f} ms of work and {DYNAMODB_MS:.0f} ms for DynamoDB: {billed} ms billed, {MEMORY_MB} MB, "
                         "arm64", lambda_time),
        ("DynamoDB", "1 strongly consistent read of at most 4 KB", MILLION * READ_UNIT),
        ("CloudWatch Logs", ", ".join(f"{what} {size} B" for what, size in lines.items()),
         MILLION * sum(lines.values()) / 1e9 * LOG_GB),
        ("Transfer to the internet", f"an answer of {answer} B", MILLION * answer / 1e9 * TRANSFER_GB),
    ]
    total = sum(cost for _, _, cost in lines)
    rows = [f"| {what} | {amount} | {dollars(cost)} |" for what, amount, cost in lines]
    rows.append(f"| **together** | | **{dollars(total)}** |")
    others = [
        ("this server", dollars(total)),
        ("this server, `ClientCacheSeconds` on, the client found in it", dollars(total - MILLION * READ_UNIT)),
        ("the same, but each token signed by KMS with RSA-2048",
         dollars(total + MILLION * KMS_SIGN_RSA)),
        ("the same, but each token signed by KMS with P-256", dollars(total + MILLION * KMS_SIGN_EC)),
        ("Amazon Cognito, at the first tier's price for token requests", "2 250, and 6 a month for each client"),
        ("Auth0", "no list price for a million: a quota of the plan, 1 000 a month in the free one"),
    ]
    text = "\n".join([
        "| what | for each token | $ for a million |", "|---|---|---:|", *rows, "",
        "| where | $ for a million tokens |", "|---|---|", *(f"| {where} | {cost} |" for where, cost in others)])
    docs = BENCH.parent / "docs"
    page = (docs / "cost.md").read_text(encoding="utf-8")
    for name, block in (("cost", text), ("memory", memory_table(runs))):
        page = re.sub(rf"(<!-- {name}: .*? -->\n).*?(<!-- end of {name} -->)", lambda m: f"{m[1]}{block}\n{m[2]}", page,
                      flags=re.S)
    ((OUT if QUICK else docs) / "cost.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
