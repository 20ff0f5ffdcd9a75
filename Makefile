# `make demo` and `make test` do all their own set-up, in .venv, from the locks: each file that they install has the digest
# that stands there. torch alone is pinned by version, in constraints.txt, since its build for CPUs has another digest than
# the package index's build.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -I -m pip --disable-pip-version-check install --quiet
LOCKED := $(PIP) --no-deps --require-hashes --requirement
OURS := $(PIP) --no-deps --no-build-isolation
TORCH := $(PIP) --constraint constraints.txt torch
WORKERS ?= 2

export OMP_NUM_THREADS = 1

.PHONY: demo test lint bench audit lock peers measure check-model clean peers-verl peers-openrlhf peers-label-studio

demo: $(VENV)/.base  ## fetch the default model, once, and review the example files with it
	@$(BIN)/momus model get >/dev/null
	@$(BIN)/momus review examples || [ $$? -eq 1 ]

test: $(VENV)/.dev  ## everything the tests need, then the tests
	@./.ci/needs
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not peer and not model"

lint: $(VENV)/.dev
	$(BIN)/ruff check --fix . && $(BIN)/ruff format . && $(BIN)/mypy

bench: $(VENV)/.dev  ## speed, as ratios against named peers
	$(BIN)/momus bench all

lock:  ## requirements*.lock anew, from pyproject.toml and constraints.txt
	@./.ci/lock

audit:  ## what is locked, against the known vulnerabilities; says so where no source of them can be reached
	@PYTHON="$(PYTHON)" ./.ci/audit

frontend:  ## src/momus/desk/static/vendor.js and its licences anew, from frontend/package-lock.json; needs Node
	@cd frontend && npm ci --ignore-scripts --no-audit --no-fund && node build.mjs

PEERS := verl==0.9.1 omegaconf==2.4.0 antlr4-python3-runtime==4.9.3 tensordict==0.15.3 codetiming hydra-core==1.3.8 cloudpickle \
	orjson pyvers importlib_metadata zipp

peers: $(VENV)/.dev  ## formulas of PPO against verl's own; fetches it beside the environment, without what it depends on
	@$(BIN)/pip --disable-pip-version-check install --quiet --no-deps --target $(VENV)/peers $(PEERS)
	MOMUS_PEERS=$(VENV)/peers $(BIN)/python -m pytest tests/train/ppo/test_peers.py

MODEL := qwen2.5-coder-1.5b
CRITICS := --critic local:$(MODEL) --critic local:$(MODEL)+examples --critic examples --critic bundled \
	$(foreach linter,ruff pylint pyright mypy bandit,--critic linter:$(linter))
FIRST :=  # FIRST=100 measures the first 100 of each list, which are a random draw

measure: $(VENV)/.dev  ## the tables of critics; MOMUS_DATA names the development data; goes on where it was stopped
	$(BIN)/momus measure tables $(CRITICS) $(if $(strip $(FIRST)),--first $(FIRST)) --runs runs/measure \
		-o benchmarks/results/critics.json

check-model: $(VENV)/.dev  ## what needs the default model: instructions in reviewed code
	@$(BIN)/momus model get $(MODEL) >/dev/null
	MOMUS_RESULTS=$(CURDIR)/benchmarks/results $(BIN)/python -m pytest -m model tests/critics/local

PEER_ENVS := $(or $(TMPDIR),/tmp)/momus-peers
HANDOVER := tests/train/handover

peers-verl: $(VENV)/.dev  ## what is handed over, against verl itself, in an environment of its own (1.9 GB)
	@test -x $(PEER_ENVS)/verl/bin/pip || $(PYTHON) -m venv $(PEER_ENVS)/verl
	@$(PEER_ENVS)/verl/bin/pip install --quiet torch==2.13.0 && $(PEER_ENVS)/verl/bin/pip install --quiet torch==2.13.0 verl==0.9.1
	@rm -rf $(PEER_ENVS)/handed && $(BIN)/python $(HANDOVER)/tiny_handover.py $(PEER_ENVS)/handed
	@HF_HUB_OFFLINE=1 RAY_USAGE_STATS_ENABLED=0 PYTHONPATH=src \
		$(PEER_ENVS)/verl/bin/python $(HANDOVER)/check_verl.py $(PEER_ENVS)/handed/gae $(PEER_ENVS)/handed/rloo

peers-openrlhf: $(VENV)/.dev  ## our arguments, against the command line in OpenRLHF's wheel, which is not installed
	@$(BIN)/pip download --quiet --no-deps --dest $(PEER_ENVS) openrlhf==0.11.2
	@rm -rf $(PEER_ENVS)/openrlhf && $(BIN)/python -m zipfile -e $(PEER_ENVS)/openrlhf-0.11.2-*.whl $(PEER_ENVS)/openrlhf
	@$(BIN)/python $(HANDOVER)/check_openrlhf.py $(PEER_ENVS)/openrlhf $(HANDOVER)/golden/openrlhf/*-arguments.txt

peers-label-studio: $(VENV)/.dev  ## the desk under fire, and against Label Studio in an environment of its own (0.7 GB)
	@test -x $(PEER_ENVS)/label-studio/bin/pip || $(PYTHON) -m venv $(PEER_ENVS)/label-studio
	@$(PEER_ENVS)/label-studio/bin/pip install --quiet label-studio==1.23.2
	$(BIN)/momus bench desk --label-studio $(PEER_ENVS)/label-studio/bin/python -o benchmarks/results

$(VENV)/.base: pyproject.toml requirements-base.lock
	@echo "setting up $(VENV): the base install"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "momus needs Python 3.11 or newer: make PYTHON=python3.11 demo")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@test -e $(VENV)/.dev || { $(LOCKED) requirements-base.lock && $(OURS) .; }
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt requirements.lock
	@echo "setting up $(VENV): what the tests need"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "momus needs Python 3.11 or newer: make PYTHON=python3.11 test")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(TORCH) --no-deps
	@$(LOCKED) requirements.lock
	@$(TORCH)  # what a build for GPUs needs beside it; nothing, for a build for CPUs
	@$(OURS) --editable .
	@touch $@

clean:
	rm -rf $(VENV) dist build
