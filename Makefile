# make run    two simulated clusters through the agent, on loopback
# make test   all checks that need nothing but Python, and the real components if there
# make check  linters and types
# make alerts write the alert rules from their source
# make alerts-demo  see the alerts of a simulated cluster, an hour in a minute
# make dashboards  build the dashboards from their definitions
# make dashboards-preview  pictures of the dashboards, drawn without a Grafana
# make lock   resolve the dependencies again

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: run test check alerts alerts-demo dashboards dashboards-preview lock clean

run: $(READY)
	@$(BIN)/heroku-kafka-agent demo

test: $(READY)
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

alerts: $(READY)
	$(BIN)/heroku-kafka-agent alerts --out alerts/heroku-kafka.rules.yml

dashboards: $(READY)
	$(BIN)/python -m dashboards.builder

# Needs Debian's prometheus, chromium and npm.
dashboards-preview: $(READY)
	$(BIN)/python -m dashboards.preview --out build/dashboards-preview

# Needs Debian's prometheus and prometheus-alertmanager. DEMO="--scenario disk-filling"
alerts-demo: $(READY)
	@$(BIN)/python -m alerts.demo $(DEMO)

# Without its dependencies, for the last: it asks for Kerberos, whose headers are seldom
# there; the part of it that is used here needs nothing that the lock has not.
$(READY): requirements.lock pyproject.toml dashboards/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r dashboards/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

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
	rm -rf $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
