# Everything a developer or a build machine runs. `make help` lists it.

SHELL    := /bin/bash
GO       ?= go
FUZZTIME ?= 1500x

export GO FUZZTIME

.DEFAULT_GOAL := help
.PHONY: help run build test test-long bench lint generate check-generate fuzz screenshots

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## the whole operator with sample shops on this machine (ofd demo)
	@./ofd demo

build: ## the program, ./ofd: one static file
	CGO_ENABLED=0 $(GO) build -trimpath -o ofd ./cmd/ofd

test: ## everything that must hold; the build machine runs this
	@scripts/test.sh

test-long: ## faults on purpose, for half an hour: kills, failovers, harmed commits
	@scripts/test-long.sh

bench: ## speed: micro benchmarks, then load against the echo and the bare store
	@scripts/bench.sh

lint: ## vet, staticcheck, and govulncheck where its database can be reached
	@scripts/lint.sh

generate: ## write generated code again
	$(GO) generate ./...

check-generate: ## generated code is what go generate would write
	@scripts/check-generate.sh

fuzz: ## every fuzz target for FUZZTIME: a number of inputs (1500x) or a time (5m)
	@scripts/fuzz.sh

screenshots: ## pictures of the pages, three languages, light and dark, phone and desk
	@scripts/need.sh
	@scripts/screenshots.sh
