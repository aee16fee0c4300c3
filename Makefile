# make run starts the program, make test tests it, make help lists the rest.
# webapp/bootstrap.py makes .venv, installs what is locked, and then runs the rest of its line in there.

PYTHON := $(firstword $(wildcard .venv/bin/python) $(shell command -v python3 || command -v python) python3)
BOOTSTRAP := $(PYTHON) webapp/bootstrap.py
INSIDE := .venv/bin/python -m
PYTEST_WORKERS ?= 2
ARGS ?=
LOCK := uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-strip-extras --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help run test test-fast check format bench model messages lock sbom clean

help: ## list these commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' Makefile | expand -t 12

run: ## the program on http://127.0.0.1:5000 (PORT, HOST, WEB_CONCURRENCY, INSTANCE_PATH, DATABASE_URL, LOCAL_MODEL)
	@exec $(BOOTSTRAP) model -m webapp.serve

test: ## everything that can run here; the last line says what was left out (ARGS="-k name" chooses)
	@$(BOOTSTRAP) dev,bench,celery,otel,model -m pytest -n $(PYTEST_WORKERS) --dist loadgroup $(ARGS)

test-fast: ## the everyday subset: no servers, no browser, no model
	@$(BOOTSTRAP) dev -m pytest -n $(PYTEST_WORKERS) --dist loadgroup \
		-m "not slow and not browser and not mariadb and not redis and not model" $(ARGS)

check: ## ruff, mypy (strict), djlint
	@$(BOOTSTRAP) dev -m ruff check .
	@$(INSIDE) ruff format --check .
	@$(INSIDE) mypy
	@$(INSIDE) djlint webapp --lint --quiet

format: ## let ruff rewrite the source
	@$(BOOTSTRAP) dev -m ruff check --fix .
	@$(INSIDE) ruff format .

bench: ## the whole product path under load, beside a yardstick
	@$(BOOTSTRAP) dev,bench -m tests.bench $(ARGS)

model: ## fetch the embedded model, again if it is there
	@$(BOOTSTRAP) model-again

messages: ## collect the texts to be translated into webapp/translations
	@$(BOOTSTRAP) dev
	@mkdir -p build
	@.venv/bin/pybabel --quiet extract --mapping babel.cfg --keywords _l --no-location --sort-output --omit-header \
		--output build/messages.pot webapp
	@.venv/bin/pybabel --quiet update --input-file build/messages.pot --output-dir webapp/translations \
		--no-fuzzy-matching --ignore-obsolete --omit-header

lock: ## lock the requirements again after a change in pyproject.toml (needs uv; ARGS=--upgrade for newer versions)
	$(LOCK) $(ARGS) pyproject.toml --output-file requirements.txt
	for group in dev bench celery otel model build; do \
		$(LOCK) $(ARGS) --group $$group --constraints requirements.txt --output-file requirements-$$group.txt || exit 1; \
	done

sbom: ## a CycloneDX bill of materials for each list of packages, into build/sbom
	@$(BOOTSTRAP) dev
	@mkdir -p build/sbom
	@for list in requirements.txt requirements-celery.txt requirements-otel.txt requirements-model.txt; do \
		$(INSIDE) cyclonedx_py requirements $$list --pyproject pyproject.toml --output-reproducible --of JSON \
			--output-file build/sbom/$${list%.txt}.cdx.json 2>build/sbom/log || { cat build/sbom/log; exit 1; }; \
	done; rm -f build/sbom/log; ls build/sbom/*.json

clean: ## remove the environment and what tools left; never the instance folder
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
