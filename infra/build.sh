#!/usr/bin/env bash
# Builds the Lambda binaries for x86_64, as `sam build` does for a deployment.
#
#   infra/build.sh [BUILD_DIR]            BUILD_DIR is relative to the repository's root; default .aws-sam/build
#   QUICK=1 infra/build.sh [BUILD_DIR]    for tests: no link-time optimisation, so a fraction of the time
#
# It leaves a bootstrap in BUILD_DIR/TokenFunction, BUILD_DIR/AuthorizeFunction and BUILD_DIR/ClientAdminFunction:
# ordinary Linux programs that ask whatever AWS_LAMBDA_RUNTIME_API names for work, so a test can run the very files that
# would be uploaded.
#
# To deploy what this built, say the architecture again (`sam deploy --parameter-overrides Architecture=x86_64`): the
# built template still has the default. A QUICK build is not for deploying.
#
# x86_64 because a Rust toolchain on such a machine has that target already; the template's default, arm64, needs
# aarch64-unknown-linux-gnu besides. The virtual environment of tests/requirements.txt must come first on PATH, Python
# included: that is how cargo-lambda finds its compiler. No AWS account is needed, and no network once Cargo has the
# crates.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build_dir=${1:-.aws-sam/build}

export SAM_CLI_TELEMETRY=0
# Nothing here asks a machine's metadata service for credentials.
export AWS_EC2_METADATA_DISABLED=true

if [[ ${QUICK:-} == 1 ]]; then
    # SAM builds no profile but release. Cargo lets the environment change what that means.
    export CARGO_PROFILE_RELEASE_LTO=off
    export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi

sam build -t infra/template.yaml --build-dir "$build_dir" --parameter-overrides Architecture=x86_64
