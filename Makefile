# Two commands: `make demo` shows the whole trip, `make test` checks everything. Both install what they need first.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: setup runtimes demo test lint types unit lock clean

setup: .venv/installed

# The lock file holds every version and hash; the project itself is linked, not copied, so edits count at once.
.venv/installed: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: apt-get install python3.11 python3.11-venv"; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv \
		|| { rm -rf .venv; echo "The venv module is missing: apt-get install python3.11-venv"; exit 2; }
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# What `verify --runtime` and its tests need beyond Python: emulated arm64, a JVM, a browser, MediaPipe. Optional: without
# a runtime its tests are skipped, with a reason.
runtimes: setup
	$(BIN)/fauxlens doctor --set-up all

demo: setup
	$(BIN)/fauxlens demo

test: lint types unit

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

unit: setup
	$(BIN)/pytest

# After a change in pyproject.toml; needs uv. Hashes, no addresses.
lock:
	uv pip compile pyproject.toml --all-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --python-version 3.11 -o requirements.lock

clean:
	rm -rf .venv build *.egg-info
