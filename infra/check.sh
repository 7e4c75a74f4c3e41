#!/usr/bin/env bash
# Checks the template: against CloudFormation's resource schemas, as SAM transforms it, and by what must be true of every
# deployment (infra/tests).
# Needs the programs of tests/requirements.txt on PATH; no AWS account, no credentials, no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export SAM_CLI_TELEMETRY=0
# Nothing here asks a machine's metadata service for credentials.
export AWS_EC2_METADATA_DISABLED=true

cfn-lint infra/template.yaml
# The region only says whose resource schemas to lint with; nothing is called there.
sam validate --lint -t infra/template.yaml --region eu-central-1

python -m unittest discover --start-directory infra/tests
