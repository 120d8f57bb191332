# Needs Node, npm and make. `make` alone says what there is.
# TESTS chooses test files by a part of their path: make unit-tests TESTS="router frames".

NODE := bin/node
BIOME := $(NODE) node_modules/@biomejs/biome/bin/biome
DATABASE := $(NODE) dist/src/database/cli.js
DOCUMENTS := $(NODE) dist/src/openapi/build.js
PACKED := dist/documents/manifest.json
REDOCLY := REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true $(NODE) node_modules/@redocly/cli/bin/cli.js
RUN_TESTS := $(NODE) --enable-source-maps dist/test/run.js
NPM_FLAGS := --ignore-scripts --no-audit --no-fund --loglevel=error
INSTALLED := node_modules/.installed
TESTS ?=

MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
.SUFFIXES:

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN { FS = ":[^#]*## " } /^[a-z0-9 -]+:.*## / { printf "  %-28s %s\n", $$1, $$2 }' Makefile

# The service

.PHONY: run
run: build ## Build and run the service; Ctrl-C stops it in order.
	@exec $(NODE) dist/src/main.js

.PHONY: dev
dev: build ## Run the service, rebuilt and restarted on every change.
	@exec $(NODE) bin/dev.js

.PHONY: build
build: runtime ## Install what is missing and compile to dist/.
	@$(NODE) bin/compile.js
	@# What a source that is gone once became would still be found by tests and imports.
	@find dist -path dist/documents -prune -o \( -name '*.js' -o -name '*.js.map' \) -print | while IFS= read -r file; do \
	  source="$${file#dist/}"; source="$${source%.map}"; \
	  test -e "$${source%.js}.ts" || rm -f "$$file"; \
	done
	@$(MAKE) -s $(PACKED)

.PHONY: clean
clean: ## Remove what was built and installed; the data in .data/ stays.
	@rm -rf dist coverage node_modules .node .pgbouncer .schemathesis

# Checks

.PHONY: check
check: lock build lint-openapi ## Check types, lint, format, the API's description, the rules of the house, the lock file.
	@$(BIOME) check --error-on-warnings .
	@$(RUN_TESTS) house

.PHONY: lint-openapi
lint-openapi: runtime ## Check docs/openapi.json with Redocly's rules.
	@output=$$($(REDOCLY) lint docs/openapi.json 2>&1) || { echo "$$output" >&2; exit 1; }

.PHONY: lock
lock: $(INSTALLED)
	@npm ci --dry-run --offline $(NPM_FLAGS) >/dev/null 2>&1 </dev/null || { \
	  echo 'package-lock.json is not in step: run npm install --ignore-scripts.' >&2; exit 1; }

.PHONY: format
format: runtime ## Format the sources and mend what the linter can mend.
	@$(BIOME) check --write .

.PHONY: env-example
env-example: build ## Write .env.example and docs/configuration.md anew from src/config/variables.ts.
	@$(NODE) bin/env-example.js

# Tests

.PHONY: test all-tests
test all-tests: build ## Run every test, in its short form.
	@$(RUN_TESTS) all $(TESTS)

.PHONY: coverage
coverage: build ## Run every test and report what they cover; a third slower.
	@$(RUN_TESTS) all --coverage

.PHONY: unit-tests
unit-tests: build ## Run the tests that need nothing but Node.
	@$(RUN_TESTS) unit $(TESTS)

.PHONY: integration-tests
integration-tests: build ## Run the tests on a real PostgreSQL.
	@$(RUN_TESTS) integration $(TESTS)

.PHONY: tooling-tests
tooling-tests: build ## Run the tests of tools, deployment files and measuring programs.
	@$(RUN_TESTS) tooling $(TESTS)

.PHONY: e2e-tests
e2e-tests: build ## Run the tests of the built service over real sockets.
	@$(RUN_TESTS) e2e $(TESTS)

POOLER_SECONDS ?= 60

.PHONY: test-pooler
test-pooler: build ## Keep a ledger for POOLER_SECONDS (60) behind a PgBouncer, if there is one.
	@LEDGER_SECONDS=$(POOLER_SECONDS) FAULT_SECONDS=$(FAULT_SECONDS) $(RUN_TESTS) all pool

.PHONY: pgbouncer
pgbouncer: ## Fetch a PgBouncer for the tests, on Debian or Ubuntu.
	@test/support/fetch-pgbouncer.sh .pgbouncer

COMMAND ?= make check && make test

.PHONY: test-debian13
test-debian13: ## Run COMMAND (make check && make test) in a Debian 13 root; needs root and debootstrap. NODE_VERSION.
	@test/tooling/debian13.sh '$(COMMAND)'

INFRASTRUCTURE_SECONDS ?= 10

.PHONY: test-infrastructure
test-infrastructure: build ## Test each form of Redis, proxy and pool, freshness in each for INFRASTRUCTURE_SECONDS (10).
	@INFRASTRUCTURE_SECONDS=$(INFRASTRUCTURE_SECONDS) $(RUN_TESTS) all \
	  $(or $(TESTS),test/infrastructure/ e2e/proxies)

EXAMPLES ?= 1000

.PHONY: test-schemathesis
test-schemathesis: build schemathesis ## Hold the service against its description, EXAMPLES (1000) of each operation.
	@SCHEMATHESIS_EXAMPLES=$(EXAMPLES) $(RUN_TESTS) infrastructure schemathesis

.PHONY: schemathesis
schemathesis: ## Fetch schemathesis for that test into .schemathesis, where Python is.
	@test -x .schemathesis/bin/schemathesis || { \
	  python3 -m venv .schemathesis && .schemathesis/bin/pip install --quiet --disable-pip-version-check 'schemathesis>=4,<5'; \
	} || { rm -rf .schemathesis; echo 'Skipped: schemathesis needs Python 3.10 with venv and pip.' >&2; }

FUZZ_REQUESTS ?= 200000

.PHONY: fuzz
fuzz: build ## Throw FUZZ_REQUESTS (200000) random requests at the service.
	@FUZZ_REQUESTS=$(FUZZ_REQUESTS) $(RUN_TESTS) fuzz

FAULT_SECONDS ?= 12

.PHONY: test-faults
test-faults: build ## Break what the service depends on, each fault for FAULT_SECONDS (12) in all.
	@FAULT_SECONDS=$(FAULT_SECONDS) FRESHNESS_SECONDS=$(FRESHNESS_SECONDS) $(RUN_TESTS) faults $(TESTS)

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
	@exec $(NODE) dist/perf/flamegraph/main.js --load '$(LOAD)'

.PHONY: flamegraph-native
flamegraph-native: build ## The same with Linux perf, for what is C++; needs the kernel's leave.
	@exec $(NODE) dist/perf/flamegraph/native.js --load '$(LOAD)'

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

.PHONY: db-recount
db-recount: build ## Count all tasks anew, mend triggers and the index of texts; says what was wrong.
	@$(DATABASE) recount

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

# Containers: docs/deploying.md. `build` above compiles; these use Docker.

COMPOSE := docker compose
# Compose reads the whole file: what the test database does not use needs a value all the same.
COMPOSE_TEST := DB_PASSWORD=- METRICS_USERNAME=- METRICS_PASSWORD=- GRAFANA_PASSWORD=- $(COMPOSE) --profile test
MIGRATE := $(COMPOSE) run --build --rm migrate node dist/src/database/cli.js
TEST_DATABASE := TEST_DB_HOST=127.0.0.1 TEST_DB_PORT=5433 TEST_DB_USER=postgres TEST_DB_PASSWORD=tests $(DATABASE)

.PHONY: docker-build
docker-build: docker-engine ## Build the service's image.
	@$(COMPOSE) build

.PHONY: docker-up
docker-up: docker-engine ## Build and start everything in containers; returns when it serves.
	@$(COMPOSE) up --build --detach --wait

.PHONY: docker-down
docker-down: docker-engine ## Stop and remove the containers; their data stays.
	@$(COMPOSE) --profile test down

.PHONY: restart
restart: docker-engine ## Stop the containers, and start them anew from the sources.
	@$(MAKE) docker-down
	@$(MAKE) docker-up

.PHONY: docker-db-up
docker-db-up: docker-engine ## Start the database's container.
	@$(COMPOSE) up --detach --wait db

.PHONY: docker-db-down
docker-db-down: docker-engine ## Stop and remove the database's container; the data stays.
	@$(COMPOSE) rm --stop --force db

.PHONY: docker-db-migrate-up
docker-db-migrate-up: docker-engine ## Apply the migrations that are missing, with the service's image.
	@$(MIGRATE) migrate-up

.PHONY: docker-db-migrate-down
docker-db-migrate-down: docker-engine ## Take back the last migration, with the service's image.
	@$(MIGRATE) migrate-down

.PHONY: docker-db-migrate-status
docker-db-migrate-status: docker-engine ## Show which migrations are applied, with the service's image.
	@$(MIGRATE) status

.PHONY: docker-db-test-up
docker-db-test-up: docker-engine ## Start the test database's container, on port 5433 of this machine.
	@$(COMPOSE_TEST) up --detach --wait db_test

.PHONY: docker-db-test-down
docker-db-test-down: docker-engine ## Stop the test database's container; its data goes away.
	@$(COMPOSE_TEST) rm --stop --force db_test

.PHONY: docker-db-test-migrate-up
docker-db-test-migrate-up: docker-db-test-up build ## Apply the missing migrations to that database.
	@$(TEST_DATABASE) migrate-up --test

.PHONY: docker-db-test-migrate-down
docker-db-test-migrate-down: docker-db-test-up build ## Take back the last migration of that database.
	@$(TEST_DATABASE) migrate-down --test

.PHONY: docker-engine
docker-engine:
	@command -v docker >/dev/null || { \
	  echo 'There is no docker in PATH: install Docker Engine with its Compose plugin.' >&2; exit 1; }
	@docker compose version >/dev/null 2>&1 || { \
	  echo 'docker has no compose command: install the Compose plugin (docker-compose-plugin).' >&2; exit 1; }
	@docker info >/dev/null 2>&1 || { \
	  echo 'No Docker engine answers: start one, or ask to be let in (docker info says more).' >&2; exit 1; }

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
benchstat: ## Compare two outputs of make benchmarks, OLD and NEW, with Go's benchstat.
	@if command -v benchstat >/dev/null; then exec benchstat '$(OLD)' '$(NEW)'; fi; \
	if command -v go >/dev/null; then exec go run golang.org/x/perf/cmd/benchstat@latest '$(OLD)' '$(NEW)'; fi; \
	echo 'There is no benchstat and no go in PATH: install Go, or take $(OLD) and $(NEW) to a machine that has it.' >&2; \
	exit 1

# Measurements: perf/README.md

.PHONY: bench
bench: build ## Measure us, peers and limits in turn: ROUNDS, SECONDS, ONLY, PEERS. PAIRS=true: both runtimes.
	@exec $(NODE) dist/perf/bench/main.js

BASE ?= HEAD
SCENARIO ?= get

.PHONY: bench-compare
bench-compare: build ## Measure this state and the commit BASE in turn: SCENARIO, ROUNDS, SECONDS.
	@exec $(NODE) dist/perf/compare/commits.js --base '$(BASE)' --scenario '$(SCENARIO)'

CONNECTIONS ?= 64
URL ?= http://127.0.0.1:8080

.PHONY: load
load: build ## Put the load SCENARIO (get) on the service at URL for SECONDS (10) with autocannon.
	@exec $(NODE) dist/perf/load/everyday/main.js --url '$(URL)' --scenario '$(SCENARIO)' \
	  --connections '$(CONNECTIONS)' --seconds '$(or $(SECONDS),10)'

# Documents: docs/openapi.json, docs/index.html, docs/client/api.ts

.PHONY: doc
doc: build ## Write the API's description, its page and the client's types anew.
	@$(DOCUMENTS) description
	@output=$$($(REDOCLY) build-docs docs/openapi.json --inlineBundle --output docs/index.html 2>&1) \
	  || { echo "$$output" >&2; exit 1; }
	@$(DOCUMENTS) page
	@$(MAKE) -s $(PACKED)

# What the others need

# The pages that the service serves, compressed.
$(PACKED): docs/index.html docs/openapi.json $(wildcard src/openapi/*.ts src/http/docs/*.ts) $(INSTALLED)
	@$(DOCUMENTS) pack

# The stamp lies in node_modules, which npm ci empties first: a half install has none.
$(INSTALLED): package.json package-lock.json
	@echo 'Installing the dependencies (npm ci) …'
	@npm ci --include=dev --include=optional $(NPM_FLAGS) >/dev/null </dev/null || { \
	  echo 'npm ci failed: mend what it says above, or try make again.' >&2; exit 1; }
	@touch $(INSTALLED)

.PHONY: runtime
runtime: $(INSTALLED)
	@bin/runtime install
