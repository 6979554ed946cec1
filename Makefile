# `make demo` runs the full pipeline, `make check` is for before a commit, `make test` checks everything. Each installs what
# it needs first.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: setup runtimes demo test lint types unit android apk web lock clean

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

# For before a commit: nothing is trained, and no other Python is started (tests/README.md says what is slow).
check: lint types fast

test: lint types android unit

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

fast: setup
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow" --hypothesis-profile quick

# A test file is run by one of two workers, so that both cores are at work.
unit: setup
	$(BIN)/pytest -n 2 --dist loadfile

# The Android app: Kotlin and Java compiled, and tested on the JVM, by Maven. Skipped, and said so, where there is none.
# What is left out of its words is LiteRT's own chatter.
android: setup
	@if command -v mvn >/dev/null && command -v javac >/dev/null && command -v aapt2 >/dev/null; \
	then bash -o pipefail -c "mvn -f android_demo verify 2>&1 | { grep -vE '^(INFO|WARNING): \[' || true; }"; \
	else echo "SKIPPED android: it needs apt-get install openjdk-17-jdk-headless maven aapt"; fi

# A signed debug APK in android_demo/app/target, without Google's tools.
apk:
	$(PYTHON) -m android_demo.apk build

# The shipped detector's web page, for any web server; `make runtimes` fetches LiteRT.js.
web: setup
	$(BIN)/fauxlens web --out runs/web

# After a change in pyproject.toml; needs uv. Hashes, no addresses.
lock:
	uv pip compile pyproject.toml --all-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --python-version 3.11 -o requirements.lock

clean:
	rm -rf .venv build *.egg-info
