#!/usr/bin/env bash
# Packs what a release consists of into dist/:
#
#   token.zip, authorize.zip, …     the functions, ready for Lambda
#   template.yaml                   the template, which names those files: `sam deploy -t dist/template.yaml` needs no Rust
#   identety-ARCHITECTURE.tar.gz    the program `identety`
#   sbom.cdx.json                   what went into them (CycloneDX)
#   SHA256SUMS
#
# For the architecture of this machine; the functions for another one come from a machine of that one. The same sources
# and the same compiler give the same archives: files are sorted, and their times are those of the last commit.
# Needs the programs of `make setup` on PATH, and cargo-cyclonedx in target/tools (`make dist` sees to both).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case $(uname -m) in
    aarch64 | arm64) architecture=arm64 ;;
    *) architecture=x86_64 ;;
esac
build_dir=.aws-sam/dist
when=$(git log -1 --format=%ct)

infra/build.sh "$build_dir"
cargo build --locked --profile serve -p identety

rm -rf dist
mkdir dist
python3 - "$build_dir" "$when" "$architecture" <<'PYTHON'
"""Zips each function, and writes the template that names the archives."""
import pathlib
import re
import sys
import time
import zipfile

build_dir, when, architecture = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
moment = time.gmtime(when)[:6]
template = pathlib.Path("infra/template.yaml").read_text()

for logical_id, folder in re.findall(
    r"^  (\w+Function):$(?:(?!^  \w).)*?CodeUri: \.\./functions/([\w-]+)$", template, re.M | re.S
):
    info = zipfile.ZipInfo("bootstrap", moment)
    info.external_attr = 0o755 << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(f"dist/{folder}.zip", "w") as archive:
        archive.writestr(info, (build_dir / logical_id / "bootstrap").read_bytes(), compresslevel=9)

template = re.sub(r"CodeUri: \.\./functions/([\w-]+)", r"CodeUri: \1.zip", template)
# There is nothing left to build.
template = re.sub(r"^    Metadata:\n      BuildMethod: rust-cargolambda\n", "", template, flags=re.M)
template, changed = re.subn(r"(  Architecture:\n(?:    .*\n)*?    Default: )\w+", rf"\g<1>{architecture}", template)
assert changed == 1, "the template has one parameter Architecture"
pathlib.Path("dist/template.yaml").write_text(template)
PYTHON

tar --create --gzip --file "dist/identety-$(uname -m).tar.gz" --sort=name --owner=0 --group=0 --numeric-owner \
    --mtime="@$when" --directory "${CARGO_TARGET_DIR:-target}/serve" identety --directory "$PWD" LICENSE README.md

infra/sbom.sh dist/sbom.cdx.json
(cd dist && sha256sum ./* >SHA256SUMS)
ls -l dist
