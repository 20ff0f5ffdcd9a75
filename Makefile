# `make demo` and `make test` do all their own set-up, in .venv. Versions are pinned in constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet --constraint constraints.txt
WORKERS ?= 2

export OMP_NUM_THREADS = 1

.PHONY: demo test lint bench measure clean

demo: $(VENV)/.base  ## review the example files
	@$(BIN)/momus review examples || [ $$? -eq 1 ]

test: $(VENV)/.dev  ## everything the tests need, then the tests
	@./.ci/needs
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check --fix . && $(BIN)/ruff format . && $(BIN)/mypy

bench: $(VENV)/.dev  ## speed, as ratios against named peers
	$(BIN)/momus bench all

CRITICS := --critic bundled $(foreach linter,ruff pylint pyright mypy bandit,--critic linter:$(linter))

measure: $(VENV)/.dev  ## the tables of the README; MOMUS_DATA names the development data
	$(BIN)/momus measure $(CRITICS) --on benchmarks/heldout.jsonl --by length --by held-out --by linter \
		-o benchmarks/results/heldout.json --markdown
	$(BIN)/momus measure $(CRITICS) --on benchmarks/heldout-operators.jsonl --by operator \
		-o benchmarks/results/heldout-operators.json --markdown
	$(BIN)/momus measure --critic bundled --critic linter:ruff --critic linter:pylint --parses --limit 120 \
		-o benchmarks/results/development.json --markdown

$(VENV)/.base: pyproject.toml constraints.txt
	@echo "setting up $(VENV): the base install"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "momus needs Python 3.11 or newer: make PYTHON=python3.11 demo")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@test -e $(VENV)/.dev || $(PIP) .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	@echo "setting up $(VENV): what the tests need"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "momus needs Python 3.11 or newer: make PYTHON=python3.11 test")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(PIP) torch
	@$(PIP) --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) dist build
