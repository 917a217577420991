# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# All that is created here goes into .build/, which git ignores; "make clean" removes it.
# The work is done by tests/tools/ (Python, standard library only), which also makes the environments when they are needed.

# The first Python that is new enough and really runs; give another with "make PYTHON=...".
ifndef PYTHON
PYTHON := $(shell for python in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
endif

# Keep compiled Python, but out of the way: without it, each start of a tool takes twice as long.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.build/cache/pycache
unexport PYTHONDONTWRITEBYTECODE

# Arguments for the tool below: make unit ARGS="-k stop", make integration CORE=2.19 ARGS=aem_task
CORE :=
ARGS :=
STEP = $(python) -m tests.tools
python = $(or $(PYTHON),$(error Python 3.11 or newer is needed; none was found on PATH))

.DEFAULT_GOAL := help
.PHONY: help demo simulator test unit functional integration ways soak units sanity lint docs docs-tables molecule window importer build changelog bench venv versions clean

help: ## Show this list
	@echo "dataops.qlik_em - what make can do:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 15
	@echo "Arguments: CORE=2.19 for one ansible-core, ARGS=\"...\" for the tool, e.g. make unit ARGS=\"-k stop\""

demo: ## Watch a playbook stop and start a task (a stand-in server, or QLIK_EM_URL)
	@$(python) -m tests.tools.demo $(ARGS)

simulator: ## Run the stand-in Enterprise Manager until Ctrl-C
	@$(python) -m tests.tools.simulator $(ARGS)

test: ## Everything that CI runs
	@$(python) -m tests.tools.gate

unit: ## Unit tests, in seconds
	@$(STEP) unit $(ARGS)

functional: ## Functional tests against the stand-in, over real HTTPS
	@$(STEP) functional $(ARGS)

integration: ## ansible-test integration against the stand-in, on each ansible-core
	@$(STEP) integration $(CORE) $(ARGS)

ways: ## Both ways to run a module, compared on each ansible-core
	@$(STEP) ways $(CORE) $(ARGS)

soak: ## Kill maintenance windows at 20 random moments, both ways to run (minutes)
	@SOAK_MOMENTS=$${SOAK_MOMENTS:-20} $(STEP) soak $(ARGS)

units: ## ansible-test units, on each ansible-core and each Python
	@$(STEP) units $(CORE) $(ARGS)

sanity: ## ansible-test sanity, on each ansible-core
	@$(STEP) sanity $(CORE) $(ARGS)

lint: ## ruff, mypy, yamllint, ansible-lint, changelog and documentation
	@$(STEP) lint

docs-tables: ## Write docs/api-coverage.md and docs/errors.md anew
	@$(STEP) docs-tables

molecule: ## The Molecule scenarios
	@$(STEP) molecule $(ARGS)

window: ## The playbooks of a maintenance window, by name and from the tarball
	@$(STEP) window

docs: ## The documentation site, in .build/docs/html
	@$(STEP) docs

importer: ## Build the collection and check it as Galaxy does
	@$(STEP) importer

build: ## Build the tarball into .build/dist
	@$(python) -m tests.tools.steps

changelog: ## Turn the fragments into the release notes of the version in galaxy.yml
	@$(python) -m tests.tools.environments lint
	@PATH="$(CURDIR)/.build/venv/lint/bin:$$PATH" antsibull-changelog release

bench: ## Measure how fast the two ways are, beside ansible.builtin.uri
	@$(python) -m tests.benchmarks $(ARGS)

venv: ## Create the environment of the inner loop
	@$(python) -m tests.tools.environments test play lint

versions: ## Show which Pythons and which releases of ansible-core are tested here
	@$(python) -m tests.tools.cores

clean: ## Remove everything that was created
	rm -rf .build
