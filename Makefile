# Everything lives in .venv; nothing else on the machine is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The tests start some hundred processes, and each would compile all modules anew where this is set.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup run test bench lint lock clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@echo "== everything goes into $(VENV), each package as requirements.lock names it; this takes a minute or two"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# Everything on this machine with a demo shop: make run ARGS="--port 9000"
run: setup
	$(BIN)/dispatcher up --demo $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: lint
	@echo "== all tests; this takes about five minutes"
	$(BIN)/pytest -n 2

# Prints every figure as one JSON object; says on standard error how far it is. Takes about four minutes.
bench:
	@$(MAKE) --no-print-directory setup >&2
	@$(BIN)/python -m tests.benchmarks $(ARGS)

# Rewrites the locks from pyproject.toml (needs uv): everything, and the parts of it that an image is built
# with and runs on.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links
lock:
	$(COMPILE) --extra test --output-file requirements.lock pyproject.toml
	$(COMPILE) --constraint requirements.lock --output-file requirements.run.lock pyproject.toml
	echo hatchling | $(COMPILE) --constraint requirements.lock --output-file requirements.build.lock -

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
