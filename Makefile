# Needs Node, npm and make. `make` alone says what there is.
# TESTS chooses test files by a part of their path: make unit-tests TESTS="router frames".

NODE := bin/node
TSC := $(NODE) node_modules/typescript/bin/tsc
BIOME := $(NODE) node_modules/@biomejs/biome/bin/biome
DATABASE := $(NODE) dist/src/database/cli.js
RUN_TESTS := $(NODE) --enable-source-maps dist/test/run.js
NPM_FLAGS := --ignore-scripts --no-audit --no-fund --loglevel=error
INSTALLED := node_modules/.installed
TESTS ?=

MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
.SUFFIXES:

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN { FS = ":[^#]*## " } /^[a-z0-9 -]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' Makefile

# The service

.PHONY: run
run: build ## Build and run the service; Ctrl-C stops it in order.
	@exec $(NODE) dist/src/main.js

.PHONY: dev
dev: build ## Run the service, rebuilt and restarted on every change.
	@exec $(NODE) bin/dev.js

.PHONY: build
build: runtime ## Install what is missing and compile to dist/.
	@$(TSC) -p .
	@# What a source that is gone once became would still be found by tests and imports.
	@find dist -name '*.js' -o -name '*.js.map' | while IFS= read -r file; do \
	  source="$${file#dist/}"; source="$${source%.map}"; \
	  test -e "$${source%.js}.ts" || rm -f "$$file"; \
	done

.PHONY: clean
clean: ## Remove what was built and installed; the data in .data/ stays.
	@rm -rf dist coverage node_modules .node20

# Checks

.PHONY: check
check: lock build ## Check types, lint, format, the rules of the house, the lock file.
	@$(BIOME) check --error-on-warnings .
	@$(RUN_TESTS) house

.PHONY: lock
lock: $(INSTALLED)
	@npm ci --dry-run --offline $(NPM_FLAGS) >/dev/null 2>&1 </dev/null || { \
	  echo 'package-lock.json is not in step: run npm install --ignore-scripts.' >&2; exit 1; }

.PHONY: format
format: runtime ## Format the sources and mend what the linter can mend.
	@$(BIOME) check --write .

.PHONY: env-example
env-example: build ## Write .env.example anew from src/config.ts.
	@$(NODE) bin/env-example.js

# Tests

.PHONY: test all-tests
test all-tests: build ## Run every test, with coverage unless TESTS chooses some.
	@$(RUN_TESTS) all $(if $(TESTS),$(TESTS),--coverage)

.PHONY: unit-tests
unit-tests: build ## Run the tests that need nothing but Node.
	@$(RUN_TESTS) unit $(TESTS)

.PHONY: integration-tests
integration-tests: build ## Run the tests on a real PostgreSQL.
	@$(RUN_TESTS) integration $(TESTS)

.PHONY: e2e-tests
e2e-tests: build ## Run the tests of the built service over real sockets.
	@$(RUN_TESTS) e2e $(TESTS)

FUZZ_REQUESTS ?= 200000

.PHONY: fuzz
fuzz: build ## Throw FUZZ_REQUESTS (200000) random requests at the service.
	@FUZZ_REQUESTS=$(FUZZ_REQUESTS) $(RUN_TESTS) fuzz

FAULT_SECONDS ?= 12

.PHONY: test-faults
test-faults: build ## Break what the service depends on, each fault for FAULT_SECONDS (12) in all.
	@FAULT_SECONDS=$(FAULT_SECONDS) $(RUN_TESTS) faults $(TESTS)

FRESHNESS_SECONDS ?= 60

.PHONY: test-freshness
test-freshness: build ## Check for FRESHNESS_SECONDS (60) that no list is ever stale.
	@FRESHNESS_SECONDS=$(FRESHNESS_SECONDS) $(RUN_TESTS) faults freshness

DRAINS ?= 100

.PHONY: test-drain
test-drain: build ## Stop the service DRAINS (100) times under load: nothing accepted may fail.
	@DRAINS=$(DRAINS) $(RUN_TESTS) faults drain

# Measuring

LOAD ?= get

.PHONY: flamegraph
flamegraph: build ## Draw where time goes under LOAD (get, post, put, list, mixed) into flamegraphs/.
	@exec $(NODE) dist/perf/flamegraph.js --load '$(LOAD)'

.PHONY: flamegraph-native
flamegraph-native: build ## The same with Linux perf, for what is C++; needs the kernel's leave.
	@exec $(NODE) dist/perf/flamegraph-native.js --load '$(LOAD)'

# The database: the embedded one, or the server that DB_HOST or TEST_DB_HOST names

.PHONY: db-up
db-up: build ## Start the embedded database, or reach the configured one.
	@$(DATABASE) up

.PHONY: db-down
db-down: build ## Stop the embedded database.
	@$(DATABASE) down

.PHONY: db-migrate-up
db-migrate-up: build ## Apply the migrations that are missing.
	@$(DATABASE) migrate-up

.PHONY: db-migrate-down
db-migrate-down: build ## Take back the last migration.
	@$(DATABASE) migrate-down

.PHONY: db-migrate-status
db-migrate-status: build ## Show which migrations are applied.
	@$(DATABASE) status

ROWS ?= 100000

.PHONY: db-seed
db-seed: build ## Add ROWS realistic tasks (100000) to the database.
	@exec $(NODE) dist/perf/seed/main.js '$(ROWS)'

.PHONY: db-test-up
db-test-up: build ## Start the embedded test database, or reach the configured one.
	@$(DATABASE) up --test

.PHONY: db-test-down
db-test-down: build ## Stop the embedded test database.
	@$(DATABASE) down --test

.PHONY: db-test-migrate-up
db-test-migrate-up: build ## Apply the missing migrations to the test database.
	@$(DATABASE) migrate-up --test

.PHONY: db-test-migrate-down
db-test-migrate-down: build ## Take back the last migration of the test database.
	@$(DATABASE) migrate-down --test

# Benchmarks: docs/benchmarks.md

BENCH ?= .
COUNT ?= 1
BENCHTIME ?= 1s
OLD ?= old.txt
NEW ?= new.txt
MICRO := perf/micro

.PHONY: benchmarks
benchmarks: build ## Measure parts of the service as go test -bench does: BENCH, COUNT, BENCHTIME.
	@exec $(NODE) dist/$(MICRO)/main.js -bench='$(BENCH)' -count='$(COUNT)' -benchtime='$(BENCHTIME)'

PROFILES := docs/profiling

.PHONY: benchmark-cpu
benchmark-cpu: build ## Write what BENCH spends CPU time on to docs/profiling/cpu.prof.
	@exec $(NODE) dist/$(MICRO)/main.js -bench='$(BENCH)' -count='$(COUNT)' -benchtime='$(BENCHTIME)' \
	  -cpuprofile=$(PROFILES)/cpu.prof

.PHONY: benchmark-heap
benchmark-heap: build ## Write what BENCH allocates to docs/profiling/heap.prof.
	@exec $(NODE) dist/$(MICRO)/main.js -bench='$(BENCH)' -count='$(COUNT)' -benchtime='$(BENCHTIME)' \
	  -memprofile=$(PROFILES)/heap.prof

.PHONY: benchstat
benchstat: build ## Compare two outputs of make benchmarks, OLD and NEW.
	@exec $(NODE) dist/$(MICRO)/benchstat/main.js '$(OLD)' '$(NEW)'

# What the others need

# The stamp lies in node_modules, which npm ci empties first: a half install has none.
$(INSTALLED): package.json package-lock.json
	@echo 'Installing the dependencies (npm ci) …'
	@npm ci --include=dev --include=optional $(NPM_FLAGS) >/dev/null </dev/null || { \
	  echo 'npm ci failed: mend what it says above, or try make again.' >&2; exit 1; }
	@touch $(INSTALLED)

.PHONY: runtime
runtime: $(INSTALLED)
	@bin/runtime install
