# Needs Python 3.11 or newer and make; everything else goes into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LOCK   := requirements-dev.lock
# The lock decides what is installed, pyproject.toml what kstream needs: a change of either installs again.
STAMP  := $(VENV)/.installed
# How long the last run of the tests took here, in seconds.
TOOK   := $(VENV)/.test-took

.PHONY: help run test cover check bench world certify fuzz mutants generated npm lowest lock loadtest browser golang format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/.runtime ## start a simulated cluster and stream it
	@$(BIN)/kstream simulate

test: $(STAMP) ## every test this machine can run, and what they cover
	@echo "About $$(cat $(TOOK) 2>/dev/null || echo 300) seconds: as long as the last run here, or on two cores" >&2
	@rm -rf $(VENV)/coverage; mkdir -p $(VENV)/coverage
	@began=$$(date +%s); $(BIN)/coverage run -m pytest -n 2 -q && echo $$(( $$(date +%s) - began )) >$(TOOK)
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report >$(VENV)/coverage/report.txt; enough=$$?; \
	  sed -n 's/^TOTAL .* /Covered, lines and branches: /p' $(VENV)/coverage/report.txt; \
	  test $$enough = 0 || { echo "Less is covered than pyproject.toml asks for: see $(VENV)/coverage/report.txt" >&2; exit 1; }
	@$(BIN)/coverage report --include='kstream/core/*' --fail-under=100 >$(VENV)/coverage/core.txt || \
	  { echo "A line or a branch of the core is not covered: see $(VENV)/coverage/core.txt" >&2; exit 1; }

cover: $(STAMP) ## what a test file covers of its own module; TEST=tests/core/timeline/test_state.py
	@rm -f $(VENV)/own $(VENV)/own.*; $(BIN)/coverage run --data-file=$(VENV)/own -m pytest -q $(TEST)
	@$(BIN)/coverage combine -q --data-file=$(VENV)/own $(VENV)/own.*
	@$(BIN)/coverage report --data-file=$(VENV)/own --fail-under=100 \
	  --include=$(patsubst tests/%,kstream/%,$(subst /test_,/,$(TEST)))

check: $(STAMP) ## ruff, mypy --strict, the layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) ## kstream and its peers, measured side by side; ARGS="--json", ARGS=fanout
	@ulimit -n 8192 2>/dev/null; $(BIN)/python -m loadtest.bench $(ARGS)
	@test -n "$(ARGS)" || $(BIN)/python -m simulator.bench

world: $(STAMP) ## the whole system from one seed after another; SECONDS=600, SEED=24 ARGS=--trace
	@$(BIN)/python -m tests.world $(SEED) --seconds $(or $(SECONDS),60) $(ARGS)

certify: $(STAMP) ## every planted fault of a client, many random sequences for ours, real waits: some minutes
	@$(BIN)/python -m pytest -q tests/simulator/certify/whole.py

fuzz: $(STAMP) ## every parser, SECONDS=60 for each; SEED=1, ARGS="lines kubeconfig"
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60) --seed $(or $(SEED),0) $(ARGS)

mutants: $(STAMP) ## which changes of the code no test notices; ARGS=kstream/core/timeline
	@$(BIN)/python -m tests.mutants $(ARGS)

generated: $(STAMP) ## what is made from the code: pages, schemas and types, the hashes of runs
	$(BIN)/python docs/make_commands.py
	$(BIN)/python docs/make_rooms.py
	$(BIN)/python docs/make_scenarios.py
	$(BIN)/python docs/make_schemas.py
	$(BIN)/python -m simulator.story.schema >$(VENV)/schema.json && mv $(VENV)/schema.json simulator/scenario.schema.json
	$(BIN)/python -m simulator.fingerprint >$(VENV)/hashes.json && mv $(VENV)/hashes.json fixtures/simulator-hashes.json

npm: ## the npm package: dist/kstream-VERSION.tgz (needs Node)
	@test -d tests/js/node_modules/typescript || npm ci --prefix tests/js --no-audit --no-fund
	@node js/build.mjs && mkdir -p dist && npm pack --silent ./build/npm --pack-destination dist

lowest: $(STAMP) ## the suite with the lowest versions that pyproject.toml declares
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --no-header --extra bench --group test --resolution lowest-direct \
	  --python-version $$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])') pyproject.toml -o $(VENV)/lowest.txt
	$(BIN)/python -m venv --clear $(VENV)-lowest
	$(VENV)-lowest/bin/python -m pip install --quiet --requirement $(VENV)/lowest.txt
	$(VENV)-lowest/bin/python -m pip install --quiet --no-deps --editable .
	$(VENV)-lowest/bin/python -m pytest -n 2 -q

lock: | $(BIN)/python ## resolve the lock for development anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate \
	  --extra bench --group dev pyproject.toml -o $(LOCK)

loadtest: $(VENV)/.load ## Locust against a churning cluster; ARGS="--users 500 --shape spike"
	@ulimit -n 8192 2>/dev/null; $(BIN)/python -m loadtest.run $(ARGS)

browser: ## what the tests of the page and of kstream.js need: Chromium, Node (Debian, Ubuntu; as root)
	@for tool in chromium node npm; do command -v $$tool >/dev/null || missing="$$missing $$(echo $$tool | sed 's/^node$$/nodejs/')"; done; \
	  test -z "$$missing" || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing; }

golang: ## what the test of a Go client needs: Go (Debian, Ubuntu; as root)
	@command -v go >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends golang-go; }

format: $(STAMP) ## format the code, and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what make has set up
	rm -rf $(VENV) $(VENV)-lowest tests/js/node_modules build/npm dist/kstream-*.tgz

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "kstream needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) (once)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(STAMP): pyproject.toml $(LOCK) | $(BIN)/python
	@echo "Setting up $(VENV) for development" >&2
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@ $(VENV)/.runtime

$(VENV)/.load: $(VENV)/.runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[load]'
	@touch $@
