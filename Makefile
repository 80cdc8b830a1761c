# `make` prints this help; every target makes the environment first when that is needed.
.DEFAULT_GOAL := help
.PHONY: help setup check long lint format-check imports types test format demo docs clean

BIN := .venv/bin

help: ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

setup: ## Make or refresh .venv
	@scripts/setup

check: ## The gate: lint, format, import rules, types, tests (the same here and in CI)
	@scripts/test

long: ## Before a release: the gate with all it leaves out (hours; CONTRIBUTING.md, "The long run")
	@scripts/test --long

lint: ## Lint alone
	@scripts/test --only lint

format-check: ## Whether the formatter would change anything
	@scripts/test --only format

imports: ## Whether imports run one way
	@scripts/test --only imports

types: ## Types alone
	@scripts/test --only types

test: ## Tests alone; make test ARGS="-k caps -x"
	@scripts/test --only tests $(ARGS)

format: setup ## Let the formatter change what it would
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

demo: ## The engine at work on this machine; make demo ARGS="--help"
	@scripts/demo $(ARGS)

docs: setup ## Run the examples in README.md and docs/
	@$(BIN)/python -m pytest -q -n0 tests/docs

clean: ## Remove caches and build output; .venv and .orchestrator stay
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
