# Every target sets up .venv by itself, from the locks, with hashes.

VENV := .venv
BIN := $(VENV)/bin
INTEROP := .venv-interop
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
# The first candidate that is new enough; `make PYTHON=...` overrides it.
PYTHON ?= $(firstword $(foreach name,$(CANDIDATES),$(shell $(name) -c '$(NEW_ENOUGH)' 2>/dev/null && echo $(name))))
# Debian's python3 may come with pip and venv but without ensurepip, which venv needs to bring pip along.
WITHOUT_ENSUREPIP = $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(VENV) install -qq pip
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long bench lint types determinism golden recording notebooks interop messages wheel lock clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-13s%s\n", $$1, $$2}' Makefile

setup: $(VENV)/dev ## Set up .venv with the test tools

demo: $(VENV)/base ## Run scenarios/quickstart.toml and say where the report is
	@$(BIN)/romer-sim run scenarios/quickstart.toml

test: setup ## Run the tests; ARGS= goes to pytest
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 $(ARGS)

test-long: setup ## Run the tests, the slow ones too, with many more examples of each property
	@$(BIN)/python -m pytest -n auto -m "slow or not slow" --hypothesis-profile explore $(ARGS)

bench: setup ## Print the benchmark tables
	@for file in tests/bench/bench_*.py; do echo "== $$file"; $(BIN)/python -m "tests.bench.$$(basename $$file .py)" || exit; done

lint: setup ## Check style, format and the import rules
	@failed=0; for tool in "ruff check" "ruff format --check" "lint-imports --no-logo"; do $(BIN)/$$tool || failed=1; done; exit $$failed

types: setup ## Check types
	@$(BIN)/mypy

determinism: setup ## Compare one scenario's digest over processes, hash seeds, -O and every Python here
	@$(BIN)/python -m tests.determinism

golden: setup ## Move the pins of scenarios/golden.toml to today's digests; say why in the commit
	@$(BIN)/python -m tests.determinism --pin

recording: setup ## Record a live market, and replay it in fresh processes on every Python here
	@$(BIN)/python -m tests.recording

notebooks: setup ## Run every notebook as a script
	@$(BIN)/python -m tests.notebooks

interop: setup $(INTEROP)/quickfix ## Test against QuickFIX, which is built first, in some minutes
	@$(BIN)/python -m pytest -m slow tests/interop $(ARGS)

messages: setup ## Write core/fix/messages.py anew from Romer's dictionary and core/fix/selection.txt
	@$(BIN)/romer-live fix codegen ROMER -o core/fix/messages.py --messages @core/fix/selection.txt \
	    --no-enumerations \
	    --title "The messages that Romer reads and writes, as typed records: order flow first, then the session's own."

wheel: setup ## Build dist/romer-*.whl
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

lock: ## Resolve both locks again, keeping versions that still fit (needs uv; ARGS=--upgrade for the newest)
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 $(ARGS) \
	    pyproject.toml --extra build -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 $(ARGS) \
	    pyproject.toml --extra build --extra dev -c requirements.lock -o requirements-dev.lock

clean: ## Remove environments, caches and dist
	rm -rf .venv* dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find core sim live tests -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@$(if $(PYTHON),,$(error Romer needs Python 3.11 or newer and finds none; name one with `make PYTHON=...`))
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "Romer needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { $(WITHOUT_ENSUREPIP); }

# An environment of its own: QuickFIX is no test tool that everybody needs.
$(INTEROP)/quickfix: tests/interop/requirements.txt | setup
	@echo "Building QuickFIX into $(INTEROP) ..."
	@$(BIN)/python -m venv $(INTEROP) >/dev/null 2>&1 || \
	    { $(BIN)/python -m venv --clear --without-pip $(INTEROP) && $(BIN)/python -m pip --python $(INTEROP) install -qq pip; }
	@$(INTEROP)/bin/python -m pip --disable-pip-version-check -qq install --require-hashes --no-deps -r $<
	@touch $@

# Byte code is left to the first import: compiling everything would double the time of an installation.
$(VENV)/base: requirements.lock pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing requirements.lock into $(VENV) ..."
	@$(PIP) install --no-compile --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/base
	@echo "Installing requirements-dev.lock into $(VENV) ..."
	@$(PIP) install --no-compile --require-hashes -r requirements-dev.lock
	@touch $@
