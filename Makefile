# Everything here needs a Python of 3.11 to 3.14 and make, nothing else.
# `make` alone shows what there is.

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

# The first of these that really runs and can make virtual environments; PYTHON=... overrides.
PYTHONS := $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14
FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))

PIP := .venv/bin/python -m pip --disable-pip-version-check -qq
STAMP := .venv/.installed
MAJORS := .bounty-ops/postgresql

.PHONY: help
help:  ## show this
	@echo "bounty-ops: database operations for Bounty"
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1 # \2/p' Makefile | awk -F' # ' '{printf "%-16s%s\n", $$1, $$2}'

.PHONY: install
install: $(STAMP)  ## set up .venv with exactly what requirements.lock names

.PHONY: demo
demo: $(STAMP)  ## one night of operations, for real, on servers of its own
	@exec .venv/bin/python -m bounty_ops demo

.PHONY: up
up: $(STAMP)  ## databases, bucket and Dagster's UI until Ctrl-C
	@exec .venv/bin/python -m bounty_ops up

.PHONY: test
test: $(STAMP) majors  ## the whole test suite, on every PostgreSQL that runs here
	@exec .venv/bin/python -m pytest --numprocesses=3 --dist=worksteal $(ARGS)

.PHONY: soak
soak: $(STAMP) majors  ## the long tests too: hundreds of races
	@exec .venv/bin/python -m pytest --numprocesses=3 --dist=worksteal --soak $(ARGS)

.PHONY: bench
bench: $(STAMP)  ## measure speed, on a machine that does nothing else
	.venv/bin/python -m benchmarks.seeding
	.venv/bin/python -m benchmarks.backup
	.venv/bin/python -m benchmarks.monitoring
	.venv/bin/python -m benchmarks.monitoring_rest
	.venv/bin/python -m benchmarks.history

.PHONY: check
check: $(STAMP)  ## lint, format, types, contracts between the rooms, the site, known holes
	.venv/bin/python -m ruff check
	.venv/bin/python -m ruff format --check
	.venv/bin/python -m mypy
	.venv/bin/lint-imports
	@$(MAKE) docs
	.venv/bin/python -m bounty_ops_tests.audit

.PHONY: docs
docs: $(STAMP)  ## build the site into build/docs; a warning is an error
	.venv/bin/python -m sphinx --quiet --fail-on-warning --keep-going --jobs 2 docs build/docs

.PHONY: lock
lock: $(STAMP)  ## resolve pyproject.toml anew into requirements.lock
	$(PIP) install uv
	.venv/bin/python -m uv pip compile pyproject.toml --extra embedded --extra kubernetes --extra studio \
		--group dev \
		--universal --python-version 3.11 --generate-hashes --no-annotate --no-header --upgrade \
		--quiet --output-file requirements.lock
	.venv/bin/python -m uv pip compile pyproject.toml --extra kubernetes --group build \
		--constraints requirements.lock --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --quiet --output-file requirements-image.lock

.PHONY: clean
clean:  ## remove what was installed and cached; .bounty-ops, with its data, stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build

.PHONY: majors
majors: $(STAMP)
	@.venv/bin/python -m bounty_ops.embedded.majors postgresql-majors.lock $(MAJORS)

$(STAMP): requirements.lock pyproject.toml
	@rm -f $(STAMP)
	@.venv/bin/python -c '$(FITS)' 2>/dev/null || { \
		for python in $(PYTHONS); do \
			if "$$python" -c '$(FITS)' 2>/dev/null; then found="$$python"; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "There is no Python 3.11 to 3.14 here that can make virtual environments." >&2; \
			echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv)," >&2; \
			echo "or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
			exit 1; \
		fi; \
		echo "Setting up .venv with $$("$$found" --version)"; \
		rm -rf .venv && "$$found" -m venv .venv; \
	}
	@echo "Installing what requirements.lock names (some 500 MB, once)"
	@$(PIP) install --no-deps --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(STAMP)
