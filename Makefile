# `make help` lists the targets. Every target makes the environment it needs; a stamp in it makes a repeat quick.

PYTHON ?= python3
VENV := .venv
VENV_FRAMEWORKS := .venv-frameworks
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install -qq --disable-pip-version-check
SPEC := 4-4:tanh-3:sigmoid --loss binary_cross_entropy

# test-frameworks only. TORCH_INDEX: an additional package index that has PyTorch's CPU builds (see CONTRIBUTING.md).
TORCH_INDEX ?=
ALLOW_CUDA ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-frameworks lint types docs golden clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  %-16s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.stamp-native  ## derive, run, check and train the article's kind of network on iris; leaves out/derivation.*
	$(BIN)/backproof derive $(SPEC) --expand
	@mkdir -p out
	$(BIN)/backproof derive $(SPEC) --expand -o out/derivation.md
	$(BIN)/backproof derive $(SPEC) --expand -o out/derivation.html
	$(BIN)/backproof derive $(SPEC) --expand -o out/derivation.tex
	$(BIN)/backproof run $(SPEC) --data iris --entry "dW[1][2,1]"
	$(BIN)/backproof check $(SPEC) --data iris
	$(BIN)/backproof train $(SPEC) --data iris --epochs 50 --rate 0.02 --metric accuracy --engine native

test: $(VENV)/.stamp-test  ## all tests that need no framework
	$(BIN)/python -m pytest --numprocesses auto

test-frameworks: $(VENV_FRAMEWORKS)/.stamp-frameworks  ## PyTorch and JAX (CPU) as second opinions
	$(VENV_FRAMEWORKS)/bin/python -m pytest --numprocesses auto -m frameworks

lint: $(VENV)/.stamp-dev  ## ruff
	$(BIN)/ruff check .

types: $(VENV)/.stamp-dev  ## mypy, strict, over src
	$(BIN)/mypy

docs: $(VENV)/.stamp-docs  ## the site, in docs/_build; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build
	@echo "docs/_build/index.html"

golden: $(VENV)/.stamp-test  ## rewrite every shown output and generated file from what the code prints now; review it as a diff
	$(BIN)/python -m pytest --update-golden

clean:  ## remove the environments and everything generated
	rm -rf $(VENV) $(VENV_FRAMEWORKS) out build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis

# $(call venv,DIR): an environment with a usable Python in it.
define venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Backproof needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 || true)." >&2; \
		echo "Name another one: make PYTHON=python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv --clear $(1)
endef

$(VENV)/.stamp-venv:
	$(call venv,$(VENV))
	@touch $@

$(VENV_FRAMEWORKS)/.stamp-venv:
	$(call venv,$(VENV_FRAMEWORKS))
	@touch $@

# .stamp-native, .stamp-test, .stamp-dev, .stamp-docs: the package with that extra.
$(VENV)/.stamp-%: $(VENV)/.stamp-venv pyproject.toml
	$(BIN)/python $(PIP_INSTALL) -e '.[$*]'
	@touch $@

# A CPU build's version, such as 2.13.0+cpu, sorts after the plain one: where an index has it, pip takes it.
$(VENV_FRAMEWORKS)/.stamp-frameworks: $(VENV_FRAMEWORKS)/.stamp-venv pyproject.toml .ci/no-cuda.txt
	@$(VENV_FRAMEWORKS)/bin/python $(PIP_INSTALL) $(if $(TORCH_INDEX),--extra-index-url '$(TORCH_INDEX)') \
		$(if $(ALLOW_CUDA),,-c .ci/no-cuda.txt) -e '.[test,frameworks]' || { \
		echo >&2; \
		echo "PyTorch and JAX could not be installed. If pip reports a conflict, or that it finds no version of cuda," >&2; \
		echo "nvidia or triton, then it found only a CUDA build of PyTorch (about 3 GB) and was stopped." >&2; \
		echo "Either name an index with CPU builds," >&2; \
		echo "    make test-frameworks TORCH_INDEX=<PyTorch's CPU index, see CONTRIBUTING.md>" >&2; \
		echo "or take the CUDA build: make test-frameworks ALLOW_CUDA=1" >&2; exit 1; }
	@touch $@
