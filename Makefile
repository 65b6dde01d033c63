# Scrip's one door. Needs make, Python >= 3.11, Java >= 17 and Maven; brings everything else.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
.PHONY: help demo up down test check unit integration e2e sim bench mutants \
	proof-domain proof-payments proof-people screenshots schemas ready need-engine need-browser

UV_VERSION := 0.13.9
SEEDS ?= 5000
MUTANTS ?= 300
MUTANTS_SEED ?= 1
export UV_PYTHON_DOWNLOADS := never

# The first interpreter that is new enough; python3 again if none is, so that preflight says so.
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; \
	done)
ifeq ($(PYTHON),)
PYTHON := python3
endif

BIN := .venv/bin
OWN_UV := .local/uv/bin/uv
# An installed uv serves if it is the version that wrote uv.lock; otherwise we bring that one.
UV := $(if $(findstring uv $(UV_VERSION),$(shell uv --version 2>/dev/null)),uv,$(OWN_UV))
PROJECTS := pyproject.toml $(wildcard */pyproject.toml */*/pyproject.toml)
SYNCED := .venv/.synced
PREFLIGHT = command -v $(PYTHON) >/dev/null || \
	{ echo "missing: Python 3.11 or newer (Debian: \`apt install python3-venv\`)" >&2; exit 1; }; \
	$(PYTHON) deploy/local/preflight.py
PYTEST := $(BIN)/pytest
# Two at a time, each with a Kafka and a PostgreSQL of its own; the files in their order.
BOTH := -n 2 --dist loadfile --no-loadscope-reorder

help: ## list the targets
	@echo "usage: make TARGET"
	@sed -n 's/^\([a-z][a-z0-9-]*\):[^#]*## \(.*\)/  \1 | \2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name text; do printf '  %-16s%s\n' $$name "$$text"; done

demo: need-engine ready ## watch real tool runs being paid for over real Kafka
	$(BIN)/python -m deploy.demo

up: need-engine ready ## start Kafka, PostgreSQL and all services in the background
	$(BIN)/scrip engine up --detach

down: ready ## stop what `make up` started; state is kept
	$(BIN)/scrip engine down

test: need-engine need-browser ready ## everything that must pass: check and all tests, cheap first
	$(MAKE) check
	$(PYTEST) -q $(BOTH) tests/unit
	$(PYTEST) -q $(BOTH) $(wildcard tests/contract tests/simulation tests/integration tests/e2e)

check: ready ## lint, format, types, import rules, style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy contracts/src services/*/src deploy/*/src $(wildcard deploy/demo) tests
	$(BIN)/lint-imports
	$(PYTEST) -q tests/tidy

unit: ready ## tests without any I/O, in seconds
	$(PYTEST) -q tests/unit

integration: need-engine ready ## each service against real Kafka and PostgreSQL
	$(PYTEST) -q tests/contract tests/integration

e2e: need-engine need-browser ready ## all services as processes, and what breaks them
	$(PYTEST) -q tests/e2e

sim: ready ## the owner loop in simulated worlds full of faults (SEEDS=5000)
	$(BIN)/python -m tests.simulation.run --seeds $(SEEDS)

mutants: ready ## change the rules a little: does a test notice? (MUTANTS=300, or all: an hour; MUTANTS_SEED=1)
	$(BIN)/python -m tests.mutation.run --sample $(MUTANTS) --seed $(MUTANTS_SEED)

bench: need-engine ready ## measure, print, and write .local/bench/latest.json
	$(BIN)/python -m tests.benchmarks.run

proof-domain: need-engine ready ## everything that must hold of the credit domain and its snapshots
	SCRIP_EXAMPLES=4000 SCRIP_KILLS=20 SCRIP_MUTANTS=$(MUTANTS) $(BIN)/python -m tests.proof domain

proof-payments: need-engine need-browser ready ## everything that must hold of money in, with its figures
	SCRIP_OUTAGE_S=60 SCRIP_KILLS=200 SCRIP_LIVES=1000 $(BIN)/python -m tests.proof payments

proof-people: need-engine need-browser ready ## everything that must hold of people, their keys and their data
	SCRIP_EXAMPLES=30 $(BIN)/python -m tests.proof people

screenshots: need-browser ready ## pictures of all pages for the docs
	$(BIN)/python -m tests.screenshots

schemas: ready ## generate the committed schemas again
	$(BIN)/scrip contracts schemas
	$(BIN)/scrip gateway openapi
	$(BIN)/python -m tests.reference

need-engine:
	@$(PREFLIGHT) engine

need-browser:
	@$(PYTHON) deploy/local/browser.py

ready: $(SYNCED)

$(SYNCED): uv.lock $(PROJECTS)
	@$(PREFLIGHT)
	@test $(UV) != $(OWN_UV) || test -x $(OWN_UV) || $(MAKE) $(OWN_UV)
	UV_PYTHON=$$($(PYTHON) -c 'import sys; print(sys.executable)') $(UV) sync --locked --quiet
	@touch $@

$(OWN_UV):
	@mkdir -p .local
	$(PYTHON) -m venv .local/uv
	.local/uv/bin/pip install --quiet uv==$(UV_VERSION)
