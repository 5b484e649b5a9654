# The two commands of the README are `make demo` and `make test`; each does all its own set-up.
# What must be on the machine: Python >= 3.11 (with its venv module) and make.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
BIN := .venv/bin
ARGS ?=
WORKERS ?= 3
KAFKA ?= 4.3.0
LOG4J ?= 2.25.4
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help setup demo test check bench bench-room faults clean browser requirements requirements-peers schemas jars bench-peers
.DEFAULT_GOAL := help

help: ## what each target does
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: .venv/runtime ## the whole path on the published cohort, then its pages (ARGS=--no-dashboard to stop there)
	@$(BIN)/cryotrail demo $(ARGS)

test: .venv/development browser ## every test, against the real Kafka, PostgreSQL and Chromium (ARGS=... for pytest, WORKERS=0 for one process)
	@$(BIN)/pytest --numprocesses=$(WORKERS) $(ARGS)

check: .venv/development ## style, types, the import ladder, the schemas' evolution
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cryotrail schemas check

bench: .venv/development ## appending, verifying, proving and recording beside their ceilings, in one run
	@$(BIN)/python tests/benchmarks/bench_append.py $(ARGS)
	@$(BIN)/python tests/benchmarks/bench_verify.py $(ARGS)
	@$(BIN)/python tests/benchmarks/bench_proofs.py $(ARGS)
	@$(BIN)/python tests/benchmarks/bench_recorder.py $(ARGS)

bench-room: .venv/development ## from publish() to the record with 50 publishers for 10 minutes, and its accounting (ARGS="--publishers 10 --seconds 60")
	@$(BIN)/python tests/benchmarks/bench_room.py $(ARGS)

faults: .venv/development ## break everything while events flow, at least 200 kills -9, and write docs/faults.md (ARGS="--kills 400 --seed 7 --only NAME")
	@PYTHONPATH=tests:tests/support $(BIN)/python -m faults $(ARGS)

bench-peers: .venv/development .venv-peers/installed ## the recorder beside quixstreams, faststream and Kafka Connect (ARGS=--help)
	@$(BIN)/python tests/benchmarks/peers/bench_peers.py $(ARGS)

setup: .venv/development ## the virtual environment in .venv with everything the other targets use

clean: ## remove the virtual environment and every cache; the data in .cryotrail stays
	rm -rf .venv .venv-peers build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

browser:
	@sh tests/support/install-chromium.sh

requirements: .venv/development ## resolve the pins anew: versions and hashes, no addresses
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --upgrade --custom-compile-command "make requirements" \
		--extra all --extra build --output-file requirements/runtime.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --upgrade --custom-compile-command "make requirements" \
		--constraint requirements/runtime.txt --group dev --output-file requirements/development.txt

requirements-peers: .venv/development ## resolve the pins of what `make bench-peers` compares with
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --upgrade --custom-compile-command "make requirements-peers" \
		--output-file requirements/peers.txt tests/benchmarks/peers/peers.in

schemas: .venv/development ## generate the event classes from the .avsc files (ARGS=--release publishes a version)
	$(BIN)/python schemas/generate_events.py $(ARGS)

jars: .venv/development ## pin the embedded Kafka's jars anew (KAFKA=4.3.0 LOG4J=2.25.4)
	$(BIN)/python command/pin_kafka_jars.py $(KAFKA) $(LOG4J) > kafka-jars.new && mv kafka-jars.new command/cryotrail/embedded/kafka-jars.txt

.venv/runtime: requirements/runtime.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python >= 3.11 is needed; name one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || { echo "setting up .venv with $(PYTHON) ..."; $(PYTHON) -m venv .venv; } || \
		{ rm -rf .venv; echo "$(PYTHON) has no venv module: install it (Debian: python3-venv)"; exit 1; }
	$(BIN)/pip install --quiet --require-hashes --requirement requirements/runtime.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/development: .venv/runtime requirements/development.txt
	$(BIN)/pip install --quiet --require-hashes --requirement requirements/development.txt
	@touch $@

.venv-peers/installed: requirements/peers.txt
	@test -x .venv-peers/bin/python || $(BIN)/python -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --require-hashes --requirement requirements/peers.txt
	@touch $@
