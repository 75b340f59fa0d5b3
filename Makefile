# Everything a newcomer needs: `make run` starts the service, `make test` tests it.
# PYTHON names the interpreter to build .venv with; ARGS is handed on to pytest.

.DEFAULT_GOAL := run
.PHONY: run run-real test test-unit test-faults simulate chaos fuzz soak test-real test-front-door test-containers lint protos docs lock sbom audit setup clean
MAKEFLAGS += --no-print-directory --no-builtin-rules

ifndef PYTHON
PYTHON := $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(if $(shell $(name) -c \
  'import sys; print(int((3, 11) <= sys.version_info < (3, 14)) or "")' 2>/dev/null),$(name))))
endif
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
GENERATED := digits/v1/digit_service_pb2.py
MNIST := $(or $(DIGITS_DATA_DIR),data)/mnist.npz

# Tests start hundreds of processes of ours: each would compile every module again.
test test-unit test-faults test-real test-front-door: export PYTHONDONTWRITEBYTECODE =

run: setup
	@exec $(BIN)/digits up

# The same service on Kafka, HDFS, RabbitMQ (else Valkey), ZooKeeper and a Spark cluster, all of them on loopback.
run-real: setup
	@exec $(BIN)/digits up --stack real

# Four at a time: most of them wait for servers. What takes longest begins first.
test: setup
	@$(BIN)/pytest -n 4 --durations=10 tests/integration tests/classification_service_test.py tests/conformance \
	  tests/page tests/pictures tests/training tests/kubernetes tests/unit $(ARGS)

# Seconds, for whoever changes something: no server, no TensorFlow.
test-unit: setup
	@$(BIN)/pytest -n 2 tests/unit $(ARGS)

# The same service, and many schedules of its core, with what it needs killed, stopped and cut off: minutes more.
test-faults: setup
	@$(BIN)/pytest -n 3 --durations=10 tests/faults tests/chaos tests/simulation $(ARGS)

# Schedules that nobody thought of, for SECONDS from SEED on, or from one that is new each time: tests/simulation.
simulate: setup
	@$(BIN)/python -m tests.simulation.search $(or $(SECONDS),120) $(or $(SEED),$(shell date +%s))

# Real processes killed, disks filled and lines cut at random under load: FAULTS of them by SEED. 500 take two hours.
chaos: setup
	@$(BIN)/python -m tests.chaos.run --faults $(or $(FAULTS),500) --seed $(or $(SEED),1) --stack $(or $(STACK),embedded)

test-real: setup
	@$(BIN)/pytest --timeout 600 --durations=10 tests/e2e $(ARGS)

# The service behind NGINX, several of everything, and attacks on it; beside that, NGINX with nothing behind it.
test-front-door: setup
	@$(BIN)/pytest -n 2 --timeout 600 --durations=10 tests/front_door $(ARGS)

# Builds the images and runs them, with podman and as root; docs/containers.md says what it needs.
test-containers: setup
	@$(BIN)/pytest -m containers -s -v --durations=0 --durations-min=1 tests/containers $(ARGS)

# Files that are almost right, for so many seconds at each reader of strangers' bytes.
fuzz: SECONDS ?= 600
fuzz: setup
	@$(BIN)/python -m tests.fuzz $(SECONDS)

# Steady load, trainings and kills; prints what the service holds at the start and at the end.
soak: SECONDS ?= 3600
soak: setup
	@$(BIN)/python -m benchmarks.soak $(SECONDS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "make: unformatted files; run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python docs/draw_rooms.py --check
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && $(BIN)/python protos/generate.py "$$fresh" && \
	cd "$$fresh" && find . -type f | while read -r file; do \
	  cmp -s "$$file" "$(CURDIR)/$$file" || { echo "make: $$file is stale; run: make protos"; exit 1; }; done

# Writes the code of protos/ into the packages.
protos: $(INSTALLED)
	@$(BIN)/python protos/generate.py

# Writes the table of settings and the picture of the rooms into their pages.
docs: $(INSTALLED)
	@$(BIN)/python -m digits.settings_table docs/operations.md
	@$(BIN)/python docs/draw_rooms.py

# Resolves pyproject.toml again for every platform, with the checksum of every file; needs uv.
lock: LOCKED := uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
  --no-emit-find-links --python-version 3.11 pyproject.toml
lock:
	@$(LOCKED) --all-extras --output-file requirements.lock
	@$(LOCKED) --constraint requirements.lock --extra traces --output-file deploy/containers/serve.lock
	@$(LOCKED) --constraint requirements.lock --extra train --extra traces --output-file deploy/containers/train.lock
	@$(LOCKED) --constraint requirements.lock --extra train --extra traces --extra embedded --output-file deploy/containers/embedded.lock

# What the service is made of, as CycloneDX: sbom.cdx.json.
sbom: $(INSTALLED)
	@$(BIN)/python -m deploy.sbom sbom.cdx.json

# Known faults of the pinned packages, by the advisories of pypi.org; the tool has an environment of its own.
audit: $(INSTALLED)
	@[ -x $(VENV)/audit/bin/pip-audit ] || { $(PYTHON) -m venv $(VENV)/audit && \
	  $(VENV)/audit/bin/pip install --quiet --disable-pip-version-check pip-audit==2.10.1; }
	@$(BIN)/python -c 'import requests; requests.get("https://pypi.org/pypi/pip/json", timeout=10).raise_for_status()' \
	  2>/dev/null || { echo "make: nothing was audited: the advisories of pypi.org are out of reach from here"; exit 1; }
	@$(VENV)/audit/bin/pip-audit --require-hashes --disable-pip --requirement requirements.lock

setup: $(INSTALLED) $(GENERATED)
	@[ -f $(MNIST) ] && [ ! $(MNIST) -nt $(VENV)/mnist-checked ] || { \
	  [ -f $(MNIST) ] || echo "fetching MNIST into $(MNIST)"; \
	  $(BIN)/python -m deploy.native.downloads.mnist $(MNIST) && touch $(VENV)/mnist-checked; }

# Each failure is one line; what pip said is in the log. pip checks nothing again while the two files stay as they are.
$(INSTALLED): pyproject.toml requirements.lock
	@[ -n "$(PYTHON)" ] || { echo "make: needs Python 3.11, 3.12 or 3.13: install one, or name one: make PYTHON=PATH"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo \
	  "make: needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is `$(PYTHON) -V 2>&1`: name another: make PYTHON=PATH"; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null || { echo "make: cannot make $(VENV): install Python's venv module (Debian: apt-get install python3-venv)"; exit 1; }
	@echo "installing `grep -c '^[^ ]*==' requirements.lock` packages into $(VENV): a minute or two"
	@{ if command -v uv >/dev/null; then \
	    uv pip install --python $(BIN)/python --require-hashes -r requirements.lock && \
	    uv pip install --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	  else \
	    $(BIN)/python -m pip install --retries 2 --require-hashes -r requirements.lock && \
	    $(BIN)/python -m pip install --no-deps --no-build-isolation -e .; \
	  fi; } >$(VENV)/install.log 2>&1 || { echo \
	  "make: cannot install the packages (`grep -i error $(VENV)/install.log | tail -1 | cut -c1-160`): check the network, or name a mirror with PIP_INDEX_URL; all of it is in $(VENV)/install.log"; exit 1; }
	@touch $@

$(GENERATED): | $(INSTALLED)
	@$(BIN)/python protos/generate.py

clean:
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
