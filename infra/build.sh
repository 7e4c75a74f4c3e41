#!/usr/bin/env bash
# Builds the Lambda binaries for this machine's kind of processor, as `sam build` does for a deployment.
#
#   infra/build.sh [BUILD_DIR]            BUILD_DIR is relative to the repository's root; default .aws-sam/build
#   QUICK=1 infra/build.sh [BUILD_DIR]    for tests: no link-time optimisation, so a fraction of the time
#
# It leaves a bootstrap for each function of the template, BUILD_DIR/TokenFunction/bootstrap and so on: ordinary Linux
# programs that ask whatever AWS_LAMBDA_RUNTIME_API names for work, so a test can run the very files that would be uploaded.
#
# This is for tests and releases: `make deploy` and `make upgrade` build for the processor that the stack has.
#
# For this machine's kind, because a Rust toolchain has that target already; another one needs `rustup target add`
# before. The virtual environment of tests/requirements.txt must come first on PATH, Python included: that is how
# cargo-lambda finds its compiler. No AWS account is needed, and no network once Cargo has the crates.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build_dir=${1:-.aws-sam/build}
case $(uname -m) in
    aarch64 | arm64) architecture=arm64 ;;
    *) architecture=x86_64 ;;
esac

export SAM_CLI_TELEMETRY=0
# Nothing here asks a machine's metadata service for credentials.
export AWS_EC2_METADATA_DISABLED=true

if [[ ${QUICK:-} == 1 ]]; then
    # SAM builds no profile but release. Cargo lets the environment change what that means.
    export CARGO_PROFILE_RELEASE_LTO=off
    export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi

sam build -t infra/template.yaml --build-dir "$build_dir" --parameter-overrides Architecture=$architecture
