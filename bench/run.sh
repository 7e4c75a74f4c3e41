#!/usr/bin/env bash
# Builds and runs the benchmarks, then writes the tables of README.md and of docs/cost.md, and the
# pictures. `make bench` has set up what
# they need and calls this.
#
#   bench/run.sh [PART…]     of in-process, service, lambda, scale; default all. And size: what the function `token` is
#                            made of
#   QUICK=1 bench/run.sh     to try it out: fewer and shorter rounds, no link-time optimisation
#   KEEP=1                   leaves the filled stores of an earlier run as they are
#   NOTE='…'                 what readers of the results should know of the machine at that time
#
# The filled stores take 3 GB of disk.
#
# About twenty minutes after everything is built. Leave the machine alone meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${CARGO_TARGET_DIR:-target}
python=$PWD/.venv-bench/bin/python
parts=("${@:-in-process service lambda scale}")
build_dir=.aws-sam/bench/build
profile=serve
[[ ${QUICK:-} == 1 ]] && profile=quick

wanted() { [[ " ${parts[*]} " == *" $1 "* ]]; }
say() { echo "bench: $*"; }

mkdir -p "$target/bench"
say "building"
# What measures is not what is measured.
cargo build --locked --quiet --profile quick -p identety-bench --bins
cargo build --locked --quiet --profile "$profile" -p identety
wanted in-process && cargo bench --locked --quiet --profile "$profile" -p identety-bench --no-run
wanted lambda && cargo build --locked --quiet --release -p identety-bench --bin lambda-floor
wanted lambda && PATH="$PWD/.venv/bin:$PATH" infra/build.sh "$build_dir" >"$target/bench/sam.log" 2>&1

if wanted in-process; then
    say "in process"
    rm -rf "$target/criterion"
    cargo bench --locked --quiet --profile "$profile" -p identety-bench >"$target/bench/in-process.log" 2>&1
    "$python" bench/collect.py in_process
fi
if wanted service; then
    say "service"
    "$python" bench/service.py
fi
if wanted lambda; then
    say "Lambda shape"
    "$target/quick/lambda-shape" "$build_dir" "$target/release/lambda-floor" bench/peers/openauth "$target/bench/lambda.json"
    "$python" bench/collect.py lambda
fi
if wanted scale; then
    say "scale"
    "$python" bench/scale.py
fi
if wanted size; then
    say "size"
    PATH="$PWD/.venv/bin:$PATH" CARGO_PROFILE_RELEASE_STRIP=none \
        cargo lambda build --locked --quiet --release -p token --bin token --lambda-dir "$target/bench/size"
    "$python" bench/collect.py size "$target/bench/size/token/bootstrap"
fi
"$python" bench/collect.py machine
"$python" bench/readme.py
"$python" bench/cost.py
say "done: bench/README.md, docs/cost.md"
