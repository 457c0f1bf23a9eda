# Needs Python 3.11 or newer and make; everything else goes into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# pyproject.toml decides what is installed: a change of it installs again.
STAMP  := $(VENV)/.installed

.PHONY: run test check bench loadtest browser format clean

run: $(VENV)/.runtime ## start a simulated cluster and stream it
	@$(BIN)/kstream simulate

test: $(STAMP) ## every test this machine can run
	$(BIN)/python -m pytest -n 2 -q

check: $(STAMP) ## ruff, mypy --strict, the layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) ## kstream and its peers, measured side by side; ARGS="--json", ARGS=fanout
	@ulimit -n 8192 2>/dev/null; $(BIN)/python -m loadtest.bench $(ARGS)
	@test -n "$(ARGS)" || $(BIN)/python -m simulator.bench

loadtest: $(VENV)/.load ## Locust against a churning cluster; ARGS="--users 500 --shape spike"
	@ulimit -n 8192 2>/dev/null; $(BIN)/python -m loadtest.run $(ARGS)

browser: ## what the tests of the page and of kstream.js need: Chromium, Node (Debian, Ubuntu; as root)
	@for tool in chromium node npm; do command -v $$tool >/dev/null || missing="$$missing $$(echo $$tool | sed 's/^node$$/nodejs/')"; done; \
	  test -z "$$missing" || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing; }

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) tests/js/node_modules

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "kstream needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) (once)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[bench]' --group dev
	@touch $@ $(VENV)/.runtime

$(VENV)/.load: $(VENV)/.runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[load]'
	@touch $@
