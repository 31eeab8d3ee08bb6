# make run      the studio at http://127.0.0.1:8501; the first time it builds its environment
# make models   adds the engines that need torch
# make test     every check; .ci/run is this
# Paths are relative throughout, so a folder with spaces in its name works.

PYTHON = $(shell for candidate in python3.11 python3 python; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo "$$candidate" && break; done)
VENV = .venv/bin/python
BROWSERS = chromium chromium-browser google-chrome

MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.DEFAULT_GOAL = help
.PHONY: help run models test check bench licences format settings-table migration clean studio development vendor browser python system

help:
	@sed -n 's/^# \{0,1\}\(make\)/\1/p' Makefile
	@echo "make bench, make licences, make format, make settings-table, make migration name=..., make clean"

run: studio vendor
	@echo "Starting the studio. End it with Ctrl-C."
	@exec $(VENV) app.py

models: python
	@"$(PYTHON)" -m core.tools.environment models
	@echo "The torch engines are installed. Start the studio with make run."

# Two at a time where nothing waits for the clock; what is killed, and what is looked at in a browser, one at a time.
test: system development vendor browser check
	$(VENV) -m pytest -n 2 --dist loadfile tests/engine tests/page tests/unit
	$(VENV) -m pytest tests/fault tests/browser

check:
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .
	$(VENV) -m mypy
	.venv/bin/lint-imports
	$(VENV) -m core.tools.licences

bench: development vendor
	$(VENV) -m tests.benchmark

licences: development vendor
	$(VENV) -m core.tools.licences

format: development
	$(VENV) -m ruff check --fix .
	$(VENV) -m ruff format .

settings-table: studio
	$(VENV) -m core.tools.settings_table --write

migration: studio
	@test -n "$(name)" || { echo 'Name the change: make migration name="add thumbnails"' >&2; exit 1; }
	$(VENV) -m core.migrate --new "$(name)"

# data/ is the user's work and stays.
clean:
	rm -rf .venv node_modules vendor test-output .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

studio: python
	@"$(PYTHON)" -m core.tools.environment studio

development: python
	@"$(PYTHON)" -m core.tools.environment development

vendor:
	@$(VENV) -m core.tools.vendor

python:
	@test -n "$(PYTHON)" || { echo "The studio needs Python 3.11 and found none. On Debian 12: apt install python3 python3-venv" >&2; exit 1; }

# Checks only. As root on Debian both install what is missing; an ordinary user is told its name.
system: python
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv </dev/null; } \
		|| { echo "This Python cannot make environments. On Debian: apt install python3-venv" >&2; exit 1; }

browser:
	@for name in $(BROWSERS); do command -v "$$name" >/dev/null && exit 0; done; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-core </dev/null; \
	else \
		echo "The browser tests need Chromium. On Debian: apt install chromium" >&2; exit 1; \
	fi
