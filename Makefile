# What a person types. The work itself is in setup/, one readable script per thing.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build demo test lint clean

ARGS ?=
DATA ?= $(MIDAN_DATA)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## tools, the ONNX Runtime library, the console's web files
	@setup/tools.sh
	@setup/onnxruntime.sh
	@setup/console.sh

build: setup ## target/release/midan
	@setup/binary.sh

demo: build ## a whole match night on http://127.0.0.1:8030; ARGS="--speed max --exit" runs it to the end
	@target/release/midan demo $(ARGS)

test: ## every test, a real Kafka and a real Chromium included; DATA=DIR adds those on the shared data
	@MIDAN_DATA="$(DATA)" setup/test.sh

lint: ## what CI asks beside the tests: format, clippy, console, scripts, containers, licences
	@setup/lint.sh

clean: ## removes all that was built or fetched
	rm -rf target .tools dashboards/console/dist dashboards/console/node_modules
