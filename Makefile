# Two commands do all the set-up: `make play` and `make test`. See README.md.
.POSIX:
.PHONY: play test venv peers guest boards lab-vm format lint types layers floor unit contract integration acceptance labvm docs schemas bench soak proof stress clean

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
PYTEST = $(BIN)/python -m pytest -q
COUNT = 50
HALF = tests/unit/agent tests/unit/console tests/unit/engine tests/unit/report

# Where it is set, every start of `runner` in a test compiles all of it anew.
unexport PYTHONDONTWRITEBYTECODE
CLIENTS = 200

play: $(VENV)/.installed
	$(BIN)/runner play recipes/quickstart.yaml

test: peers $(VENV)/.tested guest boards lab-vm lint types layers floor unit contract integration acceptance labvm docs
	@echo "make test: everything passed"

# --- set-up ------------------------------------------------------------------------------------

$(VENV)/bin/python:
	@tools/virtual_environment $(PYTHON) $(VENV)

$(VENV)/.installed: pyproject.toml $(VENV)/bin/python
	@tools/install $(VENV) .
	@touch $@

$(VENV)/.tested: pyproject.toml $(VENV)/bin/python
	@tools/install $(VENV) ".[test]"
	@touch $@ $(VENV)/.installed

venv: $(VENV)/.tested

peers:
	@tools/peers

guest: peers
	@tools/guest .cache/guest
	@tools/python_guest .cache/python_guest

boards: peers
	@tools/boards .cache/boards

lab-vm: peers
	@tools/lab_vm .cache/lab_vm

# --- checks ------------------------------------------------------------------------------------

format:
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/.tested
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell runner modules tests docs recipes inventory benchmarks README.md CONTRIBUTING.md

types: $(VENV)/.tested
	$(BIN)/mypy

layers: $(VENV)/.tested
	$(BIN)/lint-imports

floor: $(VENV)/.tested
	$(BIN)/vermin --quiet --no-tips --target=3.10- --violations --eval-annotations --backport dataclasses --backport typing --exclude typing.dataclass_transform runner/api runner/agent runner/console modules

# Two processes that share nothing: on two cores a third faster than workers that report each test.
unit: $(VENV)/.tested
	@export PYTHONWARNDEFAULTENCODING=1; \
	$(PYTEST) $(HALF) & half=$$!; \
	$(PYTEST) tests/unit $(HALF:%=--ignore=%); rest=$$?; \
	wait $$half && exit $$rest

contract: $(VENV)/.tested
	$(PYTEST) -n auto runner
	$(PYTEST) -m "not labvm" tests/contract

integration: $(VENV)/.tested
	$(PYTEST) -m "not labvm" tests/integration

acceptance: $(VENV)/.tested
	$(PYTEST) tests/acceptance

# Tests that need a kernel with CAN, USB and video run in a VM that has one: CONTRIBUTING.md, "The lab VM".
labvm: lab-vm $(VENV)/.tested
	$(PYTEST) -m labvm tests/labvm tests/contract tests/integration

docs: $(VENV)/.tested
	$(PYTEST) tests/docs

schemas: $(VENV)/.tested
	$(BIN)/runner schema --write schemas
	$(BIN)/runner doc --write docs/reference

bench: $(VENV)/.tested
	@tools/install $(VENV) ".[test,bench]"
	$(BIN)/python benchmarks/run.py

# Not part of `make test`: `make soak COUNT=5` for a short one.
soak: guest $(VENV)/.tested
	$(BIN)/python tests/soak/soak.py $(COUNT)

# Not part of `make test`: `make proof ROWS="A04 A05"` for some rows of the console's acceptance.
proof: guest $(VENV)/.tested
	PYTHONPATH=tests $(BIN)/python -m proof.prove $(ROWS)

# Not part of `make test`, which has a small one: `make stress CLIENTS=50`.
stress: peers $(VENV)/.tested
	$(BIN)/python tests/stress/stress.py $(CLIENTS)

clean:
	rm -rf $(VENV) .cache results build dist *.egg-info
