# Everything a user or CI runs. `make setup` is implied by the others.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := pyproject.toml watchkeeper/pyproject.toml examples/taskboard/pyproject.toml constraints.txt

.PHONY: setup up demo gameday test test-deep check dashboards metrics screenshots secrets lint clean

setup: $(STAMP)

$(STAMP): $(SOURCES) setup.sh
	./setup.sh $(PYTHON) $(VENV)
	@touch $@

up: setup
	$(BIN)/watchkeeper up $(ARGS)

demo: setup
	$(BIN)/watchkeeper up --demo $(ARGS)

gameday: setup
	$(BIN)/watchkeeper gameday $(if $(FAULTS),--faults $(FAULTS)) $(if $(JSON),--json $(JSON)) $(ARGS)

check: setup
	$(BIN)/watchkeeper check $(ARGS)

dashboards: setup
	$(BIN)/python -m dashboards.generate

# docs/metrics.md, from the catalogue.
metrics: setup
	$(BIN)/python -m watchkeeper.catalogue.document

# Runs the demo, breaks it and takes pictures; ARGS="--console URL --to DIR" of a console that is up.
screenshots: setup
	$(BIN)/python -m tests.console.screenshots $(ARGS)

# What docker-compose.yml mounts; `make up` makes its own.
secrets:
	@sh docker/make-secrets.sh

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The stack's own tests come last and in order: they time a live demo, so nothing else may run beside them.
# The others mostly wait for servers and processes, so a few of them share the machine.
test: setup lint
	$(BIN)/python -m pytest tests --ignore=tests/stack --numprocesses=3 --dist=loadfile $(ARGS)
	$(BIN)/python -m pytest tests/stack -p no:randomly $(ARGS)

# What needs torch: 800 MB that neither a user nor `make test` should wait for.
test-deep: setup
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[deep]'
	$(BIN)/python -m pytest tests/anomaly -m deep $(ARGS)

# Leaves var/ alone: that is a user's data.
clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
