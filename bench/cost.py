"""Writes the table of docs/cost.md from list prices and from what was measured (results/lambda.json)."""

import json
import math
import re

from measure import BENCH, RESULTS

# Dollars, us-east-1, without free tiers and without tiers for large amounts.
API_REQUEST = 1.00 / 1e6
LAMBDA_REQUEST = 0.20 / 1e6
LAMBDA_GB_SECOND = 0.0000133334  # arm64
READ_UNIT = 0.125 / 1e6  # DynamoDB, on demand
LOG_GB = 0.50
KMS_SIGN_RSA = 0.03 / 1e4
KMS_SIGN_EC = 0.15 / 1e4

MEMORY_GB = 0.5
# What DynamoDB takes on its own side, which was not measured: AWS says single-digit milliseconds.
DYNAMODB_MS = 3.0
# Bytes of each line, and the 26 that CloudWatch counts for each event.
LINES = {"the function's own line": 434 + 26, "Lambda's start and report": 530, "the API's access log": 356}
MILLION = 1e6


def own_ms(name):
    """The function's own work for a warm request at 0.29 of a core, median, in ms."""
    for run in json.loads((RESULTS / "lambda.json").read_text(encoding="utf-8")):
        if run["name"] == name and run["share"] < 1:
            return run["warm_ms"]["median"]
    raise SystemExit(f"no measurement of {name}")


def dollars(value):
    return f"{value:.3f}" if value < 0.2 else f"{value:.2f}"


def main():
    own = own_ms("token RS256")
    billed = math.ceil(own + DYNAMODB_MS)
    log_bytes = sum(LINES.values())
    lines = [
        ("HTTP API", "1 request", MILLION * API_REQUEST),
        ("Lambda, requests", "1 request", MILLION * LAMBDA_REQUEST),
        ("Lambda, time", f"{own:.2f} ms of work and {DYNAMODB_MS:.0f} ms for DynamoDB: {billed} ms billed, 512 MB, arm64",
         MILLION * billed / 1000 * MEMORY_GB * LAMBDA_GB_SECOND),
        ("DynamoDB", "1 strongly consistent read of at most 4 KB", MILLION * READ_UNIT),
        ("CloudWatch Logs", ", ".join(f"{what} {size} B" for what, size in LINES.items()),
         MILLION * log_bytes / 1e9 * LOG_GB),
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
    page = BENCH.parent / "docs" / "cost.md"
    page.write_text(re.sub(r"(<!-- cost: .*? -->\n).*?(\n<!-- end of cost -->)", lambda m: m[1] + text + m[2],
                           page.read_text(encoding="utf-8"), flags=re.S), encoding="utf-8")


if __name__ == "__main__":
    main()
