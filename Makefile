# Everything a person or a check runs. `make demo` and `make test` set up what is missing first.

VENV := .venv
BIN := $(VENV)/bin
OFFLINE := HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1 ANONYMIZED_TELEMETRY=False DO_NOT_TRACK=1

# Two files of tests at a time, a file never parted: its tests share what is dear to load. AT_ONCE= for one by one.
AT_ONCE := -n 2 --dist loadfile --no-loadscope-reorder

PROJECT := demo/project
OUT := demo/pictures

.DEFAULT_GOAL := help
.PHONY: help setup demo run pictures test check format package pin

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 16

setup: ## make .venv and install everything into it (a few minutes the first time, nothing to do later)
	@sh packaging/setup.sh

demo: setup ## the whole story on the sample project, without a display
	@$(OFFLINE) $(BIN)/workbench demo --out demo

run: setup ## open the window
	@$(BIN)/workbench

pictures: setup ## every page of a project as a picture, in both themes: PROJECT=demo/project OUT=demo/pictures
	@$(OFFLINE) $(BIN)/python packaging/pictures.py --project $(PROJECT) --out $(OUT) $(ARGS)

test: setup ## the whole test suite
	@$(OFFLINE) QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest $(AT_ONCE) $(ARGS)

check: setup ## format, lint, types and the quick tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(OFFLINE) QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest $(AT_ONCE) -q -m "not slow" $(ARGS)

format: setup ## put the code in shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

package: setup ## an app that needs no Python, in dist/, with the starter models inside
	@$(BIN)/python packaging/build_app.py

pin: setup ## write packaging/constraints.txt from what .venv holds
	@$(BIN)/python packaging/pin.py
