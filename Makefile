# The vocabulary of the project. `make` alone lists it.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo lock test unit lint format up down status check plan deploy deploy-connectors db-init db-check db-query db-reset produce verify bench bench-quick faults

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: .venv/.complete ## Create .venv with everything, pinned by hash

.venv/.complete: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.11 setup" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Run everything once on real servers and show what happened (KEEP=1 leaves them running)
	$(BIN)/pipeline demo $(if $(KEEP),--keep)

test: lint ## Everything: linters, types, layers, unit, integration and end-to-end tests (WORKERS=2: shared out)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(if $(WORKERS),--numprocesses $(WORKERS))
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

unit: setup ## Only the tests that need no server
	$(BIN)/pytest tests/unit

lint: setup ## ruff, mypy strict, import layers, declarations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pipeline check

format: setup ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

up: setup ## Start the embedded servers
	$(BIN)/pipeline up

down: setup ## Stop them
	$(BIN)/pipeline down

status: setup ## Show servers, connectors, lag
	$(BIN)/pipeline status

deploy: setup ## Deploy ACLs, topics, schemas, tables, ksql and connectors
	$(BIN)/pipeline deploy

check: setup ## Check the declarations without a server
	$(BIN)/pipeline check

plan: setup ## Show what deploy would change
	$(BIN)/pipeline plan

deploy-connectors: setup ## Deploy the connectors only
	$(BIN)/pipeline deploy --only connector

db-init: setup ## Make PostgreSQL's tables: migrations and scripts of sql/
	$(BIN)/pipeline db init

db-check: setup ## Compare PostgreSQL's tables with sql/
	$(BIN)/pipeline db check

db-query: setup ## Run SQL="SELECT …" in PostgreSQL
	$(BIN)/pipeline db query $(if $(SQL),'$(subst ','\'',$(SQL))',"SELECT * FROM user_stats_live ORDER BY engagement_score DESC LIMIT 10")

db-reset: setup ## Drop PostgreSQL's tables with all rows and make them anew; asks
	$(BIN)/pipeline db reset

produce: setup ## Produce 1,000 events (EVENTS=n)
	$(BIN)/pipeline produce --events $(or $(EVENTS),1000)

verify: setup ## Prove that nothing is lost and nothing is there twice
	$(BIN)/pipeline verify

.PHONY: docker-up docker-down docker-logs docker-clean quick-setup reference

COMPOSE := docker compose $(if $(CLUSTER),--env-file .env --env-file docker/cluster.env)
PROFILE := $(if $(CLUSTER),docker-cluster,docker)

.env:
	umask 077; { echo "PIPELINE_POSTGRES_PASSWORD=$$(openssl rand -hex 16)"; echo "GRAFANA_ADMIN_PASSWORD=$$(openssl rand -hex 16)"; } > .env

docker-up: .env ## Start the container stack and wait until it is healthy (CLUSTER=1: three brokers)
	$(COMPOSE) up --build --detach --wait

docker-down: ## Stop and remove the containers; data stays
	$(COMPOSE) --profile '*' down

docker-logs: ## Follow the containers' logs
	$(COMPOSE) logs --follow --tail 100

docker-clean: ## Stop and remove the containers and their data
	$(COMPOSE) --profile '*' down --volumes --remove-orphans

quick-setup: setup docker-up ## The container stack with everything deployed, 1,000 events, every one verified
	$(BIN)/pipeline --profile $(PROFILE) deploy
	$(BIN)/pipeline --profile $(PROFILE) produce --events 1000
	$(BIN)/pipeline --profile $(PROFILE) verify

bench: setup ## Measure against a hand-written consumer; tables and plots in benchmarks/results
	$(BIN)/python -m benchmarks

bench-quick: setup ## The same with few events, for its exactness checks
	$(BIN)/python -m benchmarks --quick

reference: setup ## Write docs/commands.md anew from the command line
	$(BIN)/python -m pipeline.cli.reference > docs/commands.md

faults: setup ## Stage every fault amid 100,000 events, and print how each was survived
	$(BIN)/python -m tests.fault_table $(if $(EVENTS),--events $(EVENTS))

lock: setup ## Pin the newest versions that pyproject.toml allows
	$(BIN)/pip-compile --quiet --upgrade --extra containers --extra embedded --extra msk --extra dev --generate-hashes --allow-unsafe --no-strip-extras \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml
