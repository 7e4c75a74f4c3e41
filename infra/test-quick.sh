#!/usr/bin/env bash
# Runs the tests that need nothing but Rust: of units, and of the whole server in this process. Says which it leaves out.
#
# What they are built with leaves the AWS commands of the program out, as `make run` does: their clients take minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=(--locked --workspace --exclude identety-bench --no-default-features)

# What the tests need that are left out, and the beginnings of their names.
left_out=(
    "the Lambda binaries"
    '(lambda|faults::lambda|cold_start|policies|observability|key_rotation::function)::|leaks::no_line_of_a_function'
    "the program"
    '(serve|keys_command|bootstrap|demo|openidconnect)::|leaks::the_program'
    "moto, which stands in for AWS"
    'key_sealing::|store::moto'
    "outside clients or a browser"
    '(outside_clients|pages)::'
    "a minute of load or of faults"
    '(faults::chaos|key_rotation::overlap)::'
)

echo "Compiling the tests: about four minutes the first time on two cores." >&2
cargo test "${build[@]}" --lib --test it --no-run
names=$(cargo test "${build[@]}" --test it -- --list --format terse 2>/dev/null | sed -n 's/: test$//p')

skip=()
for ((i = 0; i < ${#left_out[@]}; i += 2)); do
    found=$(grep -E "^(${left_out[i + 1]})" <<<"$names") || { echo "no test needs ${left_out[i]} any more: ${left_out[i + 1]}" >&2; exit 1; }
    told+=("  $(wc -l <<<"$found") that need ${left_out[i]}: $(cut -d: -f1 <<<"$found" | sort -u | paste -sd' ')")
    while read -r name; do skip+=(--skip "$name"); done <<<"$found"
done

cargo test "${build[@]}" --lib --quiet
# Whole names, for `pages::` is also the end of a path.
cargo test "${build[@]}" --test it --quiet -- --exact "${skip[@]}"
echo "Left out, with the fuzz targets and the soak test (make test runs all of them):"
printf '%s\n' "${told[@]}"
