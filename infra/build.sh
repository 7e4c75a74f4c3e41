#!/usr/bin/env bash
# Builds the Lambda binaries for x86_64, as `sam build` does for a deployment.
#
#   infra/build.sh [BUILD_DIR]            BUILD_DIR is relative to the repository's root; default .aws-sam/build
#   QUICK=1 infra/build.sh [BUILD_DIR]    for tests: no link-time optimisation, so a fraction of the time
#
# It leaves BUILD_DIR/TokenFunction/bootstrap and BUILD_DIR/ClientAdminFunction/bootstrap: ordinary Linux programs that
# ask whatever AWS_LAMBDA_RUNTIME_API names for work, so a test can run the very files that would be uploaded.
#
# x86_64 because a Rust toolchain on such a machine has that target already; the template's default, arm64, needs
# aarch64-unknown-linux-gnu besides. The programs of tests/requirements.txt must be on PATH. No AWS account is needed,
# and no network once Cargo has the crates.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build_dir=${1:-.aws-sam/build}

export SAM_CLI_TELEMETRY=0

if [[ ${QUICK:-} == 1 ]]; then
    # SAM builds no profile but release. Cargo lets the environment change what that means.
    export CARGO_PROFILE_RELEASE_LTO=off
    export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi

sam build -t infra/template.yaml --build-dir "$build_dir" --parameter-overrides Architecture=x86_64
