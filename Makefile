# Plain pip and make. `make app` and `make test` are all that a new user needs.
#
#   make app VENV=path   uses the environment at `path` as it is: nothing is installed into it

VENV ?= .venv
PORT ?= 8501
WORKERS ?= 2
ARGS ?=
# Index to take torch from before the rest, e.g. https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
PYTHON ?= python3

BIN := $(VENV)/bin
# An environment that this Makefile made carries this file; any other belongs to the user.
OURS := $(VENV)/.made-by-pidscope
export PIDSCOPE_CACHE
# One thread per test process: more would only stand in each other's way.
test test-all test-minimal smoke bench: export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help app test test-all test-minimal check format bench demo smoke dev

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 14

app: $(VENV)/.pidscope-user  ## set up, load the demo and start the dashboard on 127.0.0.1:$(PORT)
	@$(BIN)/python -m model_runners demo load
	$(BIN)/python -m streamlit run app.py --server.port $(PORT) $(ARGS)

test: $(VENV)/.pidscope-dev  ## set up and run the default tests; more with ARGS="--run-slow --run-browser"
	$(BIN)/python -m pytest -n $(WORKERS) --timeout 300 $(ARGS)

test-all:  ## every test that needs neither a GPU nor the network
	$(MAKE) test ARGS="--run-slow --run-oracle --run-browser $(ARGS)"

test-minimal:  ## the mathematics with numpy, scipy and torch alone, in an environment of its own
	$(PYTHON) -m venv .venv-minimal
	.venv-minimal/bin/python -m pip install --quiet $$(grep -E '^(numpy|scipy|threadpoolctl|torch|jaxtyping|pytest)[=>]' requirements.txt)
	.venv-minimal/bin/python -m pytest tests/pid_core $(ARGS)

check: $(VENV)/.pidscope-dev  ## formatting, lint and types
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m pyright --pythonpath $(BIN)/python

format: $(VENV)/.pidscope-dev  ## let ruff mend what it can
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

bench: $(VENV)/.pidscope-dev  ## speed and accuracy, side by side
	set -e; for script in bench/bench_*.py; do $(BIN)/python "$$script" $(ARGS); done

demo: $(VENV)/.pidscope-user  ## put the shipped demo into the cache
	$(BIN)/python -m model_runners demo load

smoke: $(VENV)/.pidscope-user  ## start the dashboard with the user's requirements alone and stop it again
	$(BIN)/python -m pytest tests/test_app.py $(ARGS)

dev: $(VENV)/.pidscope-dev  ## set up for development, with the git hooks
	$(BIN)/python -m pre_commit install

# One stamp per set of requirements: the second `make app` starts at once. An environment of the user is
# only looked at, every time, and the missing packages are named.
$(VENV)/.pidscope-user: requirements.txt
$(VENV)/.pidscope-dev: requirements.txt requirements-dev.txt
$(VENV)/.pidscope-user $(VENV)/.pidscope-dev:
	@VENV="$(VENV)" PYTHON="$(PYTHON)" TORCH_INDEX="$(TORCH_INDEX)" .ci/prepare $(lastword $^) $@
