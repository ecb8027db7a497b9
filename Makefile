# make run    install the agent and run it with two simulated clusters, on loopback
# make test   install the development tools and run all tests, in parallel
# make test-pure  the same without the compiled extension
# make fuzz   run the fuzzers of the compiled extension, each for FUZZ_SECONDS
# make check  linters and types
# make alerts write the alert rules from their source
# make alerts-demo  see the alerts of a simulated cluster, an hour in a minute
# make dashboards  build the dashboards from their definitions
# make dashboards-preview  pictures of the dashboards, drawn without a Grafana
# make lock   resolve the dependencies again

PYTHON ?= python3
FUZZ_SECONDS ?= 60
VENV := .venv
BIN := $(VENV)/bin
# What the agent needs to run, and what its developers need besides.
RUNTIME := $(VENV)/runtime
READY := $(VENV)/ready
SPEEDUPS := parsers/_speedups.abi3.so
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test test-pure fuzz check alerts alerts-demo dashboards dashboards-preview lock clean

run: $(RUNTIME) $(SPEEDUPS)
	@echo "Starting a demo: the agent and two simulated clusters. Ctrl-C ends it."
	@$(BIN)/python -m agent demo

# In parallel; for some of the tests: .venv/bin/python -m pytest tests/...
test: $(READY) $(SPEEDUPS)
	$(BIN)/python -m pytest -p tests.parallel -n auto

test-pure: $(READY)
	rm -f $(SPEEDUPS)
	$(BIN)/python -m pytest -p tests.parallel -n auto

# Needs clang and its libFuzzer (Debian: clang, libclang-rt-dev).
fuzz:
	@for target in walk scan; do \
		mkdir -p build/fuzz/$$target && \
		clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined \
			-fno-sanitize-recover=undefined \
			tests/fuzz/fuzz_$$target.c -o build/fuzz_$$target && \
		build/fuzz_$$target -max_len=4096 -max_total_time=$(FUZZ_SECONDS) \
			build/fuzz/$$target fixtures/fuzz/$$target || exit 1; \
	done

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

alerts: $(RUNTIME)
	$(BIN)/python -m agent alerts --out alerts/heroku-kafka.rules.yml

dashboards: $(READY)
	$(BIN)/python -m dashboards.builder

# Needs Debian's prometheus, chromium and npm.
dashboards-preview: $(READY)
	$(BIN)/python -m dashboards.preview --out build/dashboards-preview

# Needs Debian's prometheus and prometheus-alertmanager. DEMO="--scenario disk-filling"
alerts-demo: $(RUNTIME)
	@$(BIN)/python -m alerts.demo $(DEMO)

$(RUNTIME): requirements.txt
	@echo "Installing the agent's dependencies into $(VENV), once: 66 MB, about 10 seconds."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements.txt
	@touch $@

# Optional: without a compiler this says so, and the agent runs in pure Python.
$(SPEEDUPS): build_speedups.py $(wildcard parsers/native/*)
	@$(PYTHON) build_speedups.py

# dashboards/requirements.txt without its dependencies: it asks for Kerberos, whose headers
# are seldom there; the part of it that is used here needs nothing that the lock has not.
$(READY): requirements.lock pyproject.toml dashboards/requirements.txt
	@echo "Installing the development tools into $(VENV), once: 400 MB, about 30 seconds."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --require-hashes --no-deps -r dashboards/requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $(RUNTIME) $@

# Hashes and versions only: no index is named, so any mirror serves.
# requirements.txt is the part of it that runs: for Heroku and the Dockerfile.
lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --group dev \
		--generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" --upgrade --quiet \
		--output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
		--constraint requirements.lock \
		--generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" --upgrade --quiet \
		--output-file requirements.txt

clean:
	rm -rf $(SPEEDUPS) $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
