# The commands of the project. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SITE := $(VENV)/.site-installed
# The number of processes for all tests, which mostly wait. Each process has an embedded
# PostgreSQL of its own. With DATABASE_URL all would share a server, so there is one process.
PROCESSES ?= $(if $(DATABASE_URL),0,4)
TOOLS := $(VENV)/.tools-installed
PEERS := $(VENV)/.peers-installed
NEWEST := .venv-newest
# Some of the newest releases need a newer Python than the site does.
NEWEST_PYTHON ?= $(or $(lastword $(sort $(wildcard $(HOME)/.pyenv/versions/3.1[1-4].*/bin/python))),$(PYTHON))

.DEFAULT_GOAL := help
.PHONY: help run admin test test-unit test-coverage test-newest test-django lint format bench bench-layers bench-probe bench-bridges bench-flood bench-counter bench-load picture

help:
	@echo "make run          start the site on http://127.0.0.1:8000 (HOST, PORT, WORKERS, DATABASE_URL)"
	@echo "make admin        set a new random password for the admin account"
	@echo "make test         run all tests"
	@echo "make test-unit    run the tests that need neither PostgreSQL nor a server"
	@echo "make test-coverage measure which branches the unit and postgres tests reach"
	@echo "make test-newest  run the tests with the newest releases, and write docs/newest.md"
	@echo "make test-django  run Django's own tests with our handler and middleware"
	@echo "make lint         check style and types"
	@echo "make format       format the code"
	@echo "make bench        measure the cost of a request to this site and its peers"
	@echo "make bench-layers measure the time of each layer of a request"
	@echo "make bench-probe  compare the probe with wrk"
	@echo "make bench-bridges measure how experiments slow down the site"
	@echo "make bench-flood  measure how a target that floods the probe affects the site"
	@echo "make bench-counter compare the counter of users online with the book's"
	@echo "make bench-load   compare the load generator with its peers"
	@echo "make picture      retake the README's screenshot"

run: $(SITE)
	@DEBUG=$${DEBUG-1} exec $(BIN)/python -m gunicorn

admin: $(SITE)
	@DEBUG=$${DEBUG-1} $(BIN)/python manage.py reset_admin

# PYTHONDONTWRITEBYTECODE is unset, because without bytecode files each process would
# compile all tests, which takes longer than many of them.
STRICT := PYTHONDEVMODE=1 PYTHONMALLOC=default PYTHONASYNCIODEBUG=1 PYTHONDONTWRITEBYTECODE=
SPREAD = $(if $(TIERS),-m "$(TIERS)") --numprocesses=$(PROCESSES) --dist=loadfile --no-loadscope-reorder

test: $(TOOLS) $(PEERS)
	@$(STRICT) $(BIN)/python -m pytest $(or $(TESTS),$(SPREAD))

test-unit: $(TOOLS)
	@$(STRICT) $(BIN)/python -m pytest -m unit --numprocesses=2 --hypothesis-profile=quick

# Branch coverage of the test processes themselves. It fails below `fail_under`.
test-coverage: $(TOOLS)
	@$(STRICT) $(BIN)/python -m coverage erase
	@$(STRICT) $(BIN)/python -m coverage run -m pytest -m "unit or postgres" --numprocesses=2 --dist=loadfile
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

test-newest:
	@$(NEWEST_PYTHON) -m venv --clear $(NEWEST)
	@$(NEWEST_PYTHON) -m tests.newest requirements | xargs $(NEWEST)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade
	@$(STRICT) $(NEWEST)/bin/python -m tests.newest $(TESTS)

test-django: $(TOOLS)
	@$(BIN)/python -m tests.django $(CALLS)

lint: $(TOOLS)
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy

format: $(TOOLS)
	@$(BIN)/python -m ruff check --fix .
	@$(BIN)/python -m ruff format .

bench: $(PEERS)
	@$(BIN)/python -m benchmarks.serving $(BENCH)

bench-layers: $(PEERS)
	@$(BIN)/python -m benchmarks.layers $(BENCH)

bench-probe: $(TOOLS)
	@$(BIN)/python -m benchmarks.probe

bench-bridges: $(TOOLS)
	@$(BIN)/python -m benchmarks.bridges

bench-flood: $(TOOLS)
	@$(BIN)/python -m benchmarks.flooded $(BENCH)

bench-counter: $(PEERS)
	@$(BIN)/python -m benchmarks.counter $(BENCH)

# It installs its peers itself: wrk, ab and hey with apt-get, the others into .venv-peers.
bench-load: $(TOOLS)
	@$(BIN)/python -m benchmarks.load $(BENCH)

picture: $(TOOLS)
	@$(BIN)/python -m docs.picture

# A stamp is touched last, so that an interrupted installation is repeated.
$(SITE): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed, and '$(PYTHON)' is older or missing: install one and name it, for example: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv is missing: install it, for example with: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing the site's packages into $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

$(TOOLS): tests/requirements.txt $(SITE)
	@echo "Installing the tests' packages into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt --requirement tests/requirements.txt
	@touch $@

$(PEERS): benchmarks/requirements.txt $(SITE)
	@echo "Installing the benchmark's peers into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt --requirement benchmarks/requirements.txt
	@touch $@
