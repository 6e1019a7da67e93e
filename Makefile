# Every command a developer or a curious visitor needs. `make help` lists them.
#
#   make demo                 install into .venv, build the bundled example, serve it
#   make demo SERVE=0         the same, and end after the first answers
#   make test                 install with the development tools, run the tests
#
# PYTHON chooses the interpreter (3.11 or newer), VENV the folder of the environment.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
    $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; \
    done; echo python3)
VENV ?= .venv
SERVE ?= 1
PORT ?= 8000
ARGS ?=

BIN := $(VENV)/bin
USE := $(VENV)/.installed-train
DEV := $(VENV)/.installed-dev
BENCH := $(VENV)/.installed-bench
# One more than there are processors, as tests of servers wait much. A process that has no test left
# takes over half of what another still has.
PROCESSES = $(shell $(PYTHON) -c 'import os; print(min((os.cpu_count() or 1) + 1, 8))')
PARALLEL = --numprocesses $(PROCESSES) --dist worksteal

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo install test test-slow conformance check format bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1|/' \
	    | awk -F'|' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(USE) ## build the bundled example, show first answers, serve it (SERVE=0: do not serve)
	$(BIN)/sightline demo --port $(PORT) $(if $(filter 0 no false,$(SERVE)),--no-serve)

install: $(USE) ## install everything a user needs into .venv, and compile what answers use
	$(BIN)/sightline warm
	@echo "installed; try: $(BIN)/sightline --help"

test: $(DEV) ## run the tests, in one process more than there are processors (ARGS="-k paths" chooses some)
	$(BIN)/python -m pytest -m "not slow" $(PARALLEL) --durations 10 $(ARGS)

test-slow: $(DEV) ## run the tests that train on real data (SIGHTLINE_DATA names its folder)
	$(BIN)/python -m pytest -m slow $(ARGS)

SUITES := tests/api/test_w3c_sparql.py tests/graph/test_shapes.py tests/ingest/test_rml_conformance.py

conformance: $(DEV) ## run the suites of SPARQL, SHACL and RML, and print what passes (SIGHTLINE_DATA names their folder)
	$(BIN)/python -m pytest -m slow -rs -s $(SUITES) $(ARGS)

check: $(DEV) ## lint, formatting, types of Python and of the explorer, import contracts (one of them: no circle of files)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	api/page/check.sh

format: $(DEV) ## rewrite the code in the agreed format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(BENCH) ## run the benchmarks (ARGS="paths search" chooses some)
	$(BIN)/python benchmarks/run.py $(ARGS)

clean: ## remove build products and caches; the environment stays
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# A stamp is older than pyproject.toml after every change of the dependencies: pip runs again then,
# and only then.
$(USE): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --editable '.[train]'
	@touch $@

$(DEV): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --editable '.[train,dev]'
	@touch $@ $(USE)

$(BENCH): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --editable '.[train,dev,bench]'
	@touch $@ $(DEV) $(USE)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Sightline needs Python 3.11 or newer; $(PYTHON) is none. Try: make PYTHON=python3.12" >&2; \
	    exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "Python's venv is missing. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; \
	    exit 1; }
	$(PYTHON) -m venv $(VENV)
