# `make demo` and `make test` set up everything they need on a fresh Debian with Python 3.11.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

ROUNDS ?= 1

.PHONY: demo test explore kills matrix fuzz-gallery fuzz-coverage bench docs lint setup clean

demo: $(STAMP)
	$(BIN)/cosemlab demo --modules mixed --mode enforce

# On every core: tests share nothing but the machine.
test: lint
	$(BIN)/python -m pytest -n auto --dist worksteal

# The tests that draw their examples, with other examples each time; `make test` draws the same ones.
explore: $(STAMP)
	for round in $$(seq $(ROUNDS)); do \
		COSEMLAB_EXPLORE=1 $(BIN)/python -m pytest -n auto --dist worksteal -m hypothesis || exit; \
	done

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Meters killed at 5000 instants instead of 200, and every octet of a store flipped some times; the
# head end killed at every instant of a campaign and of an enrolment.
kills: $(STAMP)
	COSEMLAB_KILLS=5000 COSEMLAB_FLIPS=50000 $(BIN)/python -m pytest -s tests/emulator/memory
	COSEMLAB_KILLS=160 $(BIN)/python -m pytest -s tests/emulator/rotation tests/emulator/enrolment

# Each planted fault against every conformance check, not only its own and a few others.
matrix: $(STAMP)
	COSEMLAB_MATRIX=all $(BIN)/python -m pytest -n auto --dist worksteal tests/emulator/conformance/planting

# Whether the fuzzer finds each planted bug within a minute on two cores, and nothing in ten minutes
# on a meter that has none. Takes half an hour.
fuzz-gallery: $(STAMP)
	$(BIN)/cosemlab fuzz gallery

bench: $(STAMP)
	$(BIN)/python tests/bench/run.py

# Which lines of the protocol core the fuzzers reach, and what is to be said of the others.
fuzz-coverage: $(STAMP)
	$(BIN)/cosemlab fuzz coverage --into docs/fuzz-coverage.md

# The parts of README and docs/ that are made from tables; the tests check that they are up to date.
docs: $(STAMP)
	$(BIN)/python tests/interop/readme_table.py
	$(BIN)/python tests/emulator/meters_page.py
	$(BIN)/cosemlab machines --into docs/protocol.md
	$(BIN)/cosemlab fault table --into docs/faults.md
	$(BIN)/cosemlab conform faults --into docs/conformance-faults.md
	$(BIN)/cosemlab fuzz gallery --into docs/fuzz-gallery.md
	$(BIN)/cosemlab mqtt asyncapi > docs/asyncapi.json

setup: $(STAMP)

$(STAMP): pyproject.toml .ci/system-packages
	PYTHON=$(PYTHON) ./.ci/system-packages openssl mosquitto postgresql softhsm2:softhsm2-util
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cosemlab needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,lint,scapy,pkcs11]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
