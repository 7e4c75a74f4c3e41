#!/usr/bin/env bash
# Writes the list of everything that the functions and the program are made of (SBOM, CycloneDX 1.5, JSON).
#
#   infra/sbom.sh FILE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# That of the program, for it mounts the routers of the functions: what they are made of is in it.
target/tools/bin/cargo-cyclonedx cyclonedx --quiet --format json --spec-version 1.5 \
    --manifest-path cli/Cargo.toml --override-filename sbom.cdx
# Where the sources lay when it was written is nobody's concern.
sed "s#file://$PWD/##g" cli/sbom.cdx.json >"$1"
find cli functions shared tests bench -name sbom.cdx.json -delete 2>/dev/null || true
