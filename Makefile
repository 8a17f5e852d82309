# make help lists the targets. Each installs what it needs into .venv first, and does nothing twice.

VENV := .venv
BIN := $(VENV)/bin
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,\
	$(shell $(p) -c '$(SUPPORTED)' 2>/dev/null && echo $(p))))
WORKERS ?= 2
BENCH := .venv-bench
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist loadscope

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book pdf test test-full lint execute mutants bench clean

help: ## Say what each target does
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' Makefile | awk '{ t = $$1; $$1 = ""; printf "make %-10s%s\n", t, $$0 }'
	@echo "PYTHON=... names the Python 3.11, 3.12 or 3.13 that .venv is made from."

$(VENV)/.installed: requirements.txt constraints.txt pyproject.toml
	@$(BIN)/python -c '$(SUPPORTED)' 2>/dev/null || { python="$(PYTHON)"; \
		"$$python" -c '$(SUPPORTED)' 2>/dev/null || { \
			echo "No Python 3.11, 3.12 or 3.13 found$${python:+ as $$python}:" \
				"say make PYTHON=/path/to/python" >&2; exit 1; }; \
		echo "Making $(VENV) with $$("$$python" --version)"; \
		"$$python" -m venv --clear $(VENV); }
	@echo "Installing requirements.txt into $(VENV), about a minute"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

# Built from scratch every time: a warm build does not repeat its warnings, so -W would let them pass.
SOURCES := $(sort $(shell find _config.yml _toc.yml book latent_em -type f \
	-not -path '*/__pycache__/*' -not -path '*/.*'))
_build/.done: $(VENV)/.installed $(SOURCES)
	@rm -rf _build
	$(BIN)/jupyter-book build . -W -n --keep-going -q
	$(BIN)/python -m latent_em.book.site _build/html
	@echo "$(SOURCES)" > $@
# A source that was removed has no time to compare; the list of the last build shows it.
ifneq ($(SOURCES),$(shell cat _build/.done 2>/dev/null))
.PHONY: _build/.done
endif

book: _build/.done ## Build the book and check its pages
	@echo "The book: $(CURDIR)/_build/html/index.html"

_build/latent_em.pdf: _build/.done
	$(BIN)/python -m latent_em.book.pdf _build/html $@

pdf: _build/latent_em.pdf ## Print the book to one PDF, with an installed Chromium
	@echo "The book: $(CURDIR)/_build/latent_em.pdf"

test: $(VENV)/.installed ## Test the package, then re-run every notebook against its stored outputs
	$(PYTEST) $(SELECT) tests; tests=$$?; $(PYTEST) $(SELECT) --nbval book/ && exit $$tests

test-full: SELECT := -m ""
test-full: test mutants ## All of that, with the slow tests and every mutant

lint: $(VENV)/.installed ## Check style and format of code and notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

execute: $(VENV)/.installed ## Re-run the notebooks and store their outputs
	$(BIN)/python -m latent_em.book.notebooks

mutants: $(VENV)/.installed ## Break every checked equation and see its check fail
	$(BIN)/python -m latent_em.book.mutants --jobs $(WORKERS)

# Other libraries have an environment of their own, so that the book never depends on them.
$(BENCH)/.installed: $(VENV)/.installed benchmarks/requirements.txt
	@echo "Installing benchmarks/requirements.txt into $(BENCH), about a minute"
	@$(BIN)/python -m venv --clear $(BENCH)
	@$(BENCH)/bin/python -m pip install -qq --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

bench: $(BENCH)/.installed ## Compare with other libraries: speed, memory, held-out text
	$(BENCH)/bin/python benchmarks/lda_heldout.py
	$(BENCH)/bin/python benchmarks/lda_speed.py
	$(BENCH)/bin/python benchmarks/lda_memory.py
	$(BENCH)/bin/python benchmarks/gaussian_mixture.py
	$(BENCH)/bin/python benchmarks/precision.py
	$(BENCH)/bin/python benchmarks/growth.py
	$(BENCH)/bin/python benchmarks/acceleration.py
	$(BENCH)/bin/python benchmarks/out_of_core.py
	$(BENCH)/bin/python benchmarks/imports.py

clean: ## Remove all that make has made, .venv too
	rm -rf _build $(VENV) $(BENCH) *.egg-info .pytest_cache .ruff_cache .hypothesis
	find benchmarks book latent_em tests \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
