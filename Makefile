# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# All that is created here goes into .build/, which git ignores; "make clean" removes it.
# The work is done by the sessions of noxfile.py and antsibull-nox.toml.

# The first Python that is new enough and really runs; give another with "make PYTHON=...".
ifndef PYTHON
PYTHON := $(shell for python in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
endif
python = $(or $(PYTHON),$(error Python 3.11 or newer is needed; none was found on PATH))

# Keep compiled Python, but out of the way: without it, each start of a tool takes twice as long.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.build/cache/pycache
unexport PYTHONDONTWRITEBYTECODE
export PIP_CACHE_DIR ?= $(CURDIR)/.build/cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1

# make unit ARGS="-k stop", make integration CORE=2.19 ARGS=aem_task
CORE :=
ARGS :=
# One more than CI has cores: a session that installs, or waits for a server, leaves its core idle.
JOBS := 3
# make release TAG=v1.0.0 GPG_KEY=...
export TAG GPG_KEY
NOX := .build/nox/bin/python -m nox $(NOXFLAGS)

CORES := 2.21 2.19 2.16
ON_EACH_CORE := ways integration sanity units
ONCE := unit functional coverage awx oldest pre-release soak events metrics pages mutation mitogen docs docs-tables \
	molecule window importer build release bench simulator demo
# awx-collection first: antsibull-nox looks once which collections there are.
LINT := awx-collection formatters codeqa yamllint typing antsibull-nox-config docs-check extra-checks license-check \
	ansible-lint changelog repository
each = $(CORES:%=$(1)-%)
# What CI runs, the long before the short, and each proof once. What is shortened for it is below, at IN_GATE:
# - "ways" plays a third of the targets of "integration" on each core, in process and as modules ("make ways": all); so
#   ansible-test plays two of them on one core, for the frame that all have.
# - "unit" runs what "units-2.19" would, on the Python between the oldest and the newest, on which "units-2.21" runs. On
#   the oldest core those units run that know Ansible (test_rooms.py: few do). Sanity imports everything on each Python.
# - Sanity takes import and pylint, which take long, from the newest core: they read the same files on each.
GATE := functional $(call each,ways) units-2.21 $(call each,sanity) lint integration-2.21 units-2.16 unit \
	awx oldest soak mutation pre-release molecule events metrics pages importer mitogen docs demo window release

.DEFAULT_GOAL := help
.PHONY: help test lint changelog recording clean $(ONCE) $(ON_EACH_CORE) $(foreach name,$(ON_EACH_CORE),$(call each,$(name)))

help: ## Show this list
	@echo "dataops.qlik_em - what make can do:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 15
	@echo "Arguments: CORE=2.19 for one ansible-core, ARGS=\"...\" for the tool, e.g. make unit ARGS=\"-k stop\""

ifndef IN_GATE
session = @$(NOX) --session $(1) $(if $(ARGS),-- $(ARGS))
soak: export SOAK_MOMENTS ?= 20
soak: export HISTORIES ?= 10000
else
# Only how it ended; the output of a session that fails is shown.
session = @if $(NOX) --report .build/results/$@.json --session $(1) $(if $(ARGS),-- $(ARGS)) >.build/logs/$@.log 2>&1; \
	then echo "ok      $@"; \
	else tail -n 80 .build/logs/$@.log; echo "FAILED  $@, all of its output: .build/logs/$@.log"; exit 1; fi
demo: ARGS := --stand-in --check
integration-2.21: ARGS := aem_task role_maintenance_window
sanity-2.16 sanity-2.19: ARGS := --skip-test import --skip-test pylint
ways-2.21: export TARGETS := 1/3
ways-2.19: export TARGETS := 2/3
ways-2.16: export TARGETS := 3/3
units-2.16: ARGS := 'tests/unit/(plugins/(action|filter)|roles|plugins/module_utils/(_fleets/test_results|_common/test_files)).*'
units-2.21: export UNITS_ON := 3.9 3.13
unit functional ways-2.16: export MEASURE := coverage
mutation: ARGS := --sample 40
endif

test: .build/nox/complete ## Everything that CI runs, with a list of what ran
	@rm -rf .build/results .build/logs .build/coverage && mkdir -p .build/results .build/logs
	@TIME_LIMIT=3600 $(MAKE) --no-print-directory --keep-going --jobs=$(JOBS) IN_GATE=yes $(GATE) \
		$(if $(filter output-sync,$(.FEATURES)),--output-sync=target) </dev/null; \
	$(MAKE) --no-print-directory IN_GATE=yes coverage </dev/null; \
	$(python) -m tests.tools.summary $(GATE) coverage

demo: ## Watch a playbook stop and start a task (a stand-in server, or QLIK_EM_URL)
simulator: ## Run the stand-in Enterprise Manager until Ctrl-C
unit: ## Unit tests, in seconds
functional: ## Functional tests against the stand-in, over real HTTPS
coverage: ## Which lines of the plugins no test reaches, after MEASURE=yes make unit functional ways-2.16
awx: ## The kit for AWX, with the collection and the tools that AWX uses
oldest: ## The HTTP client with the oldest libraries that the modules support
pre-release: ## The ansible-core that comes next: what users do both ways; it may fail
integration: ## ansible-test integration against the stand-in, on each ansible-core
ways: ## Both ways to run a module, compared on each ansible-core
mitogen: ## Both ways to run a module under Mitogen
soak: ## Kill windows at 20 random moments, both ways to run, and play 10,000 random histories (an hour)
events: ## The rulebooks in the real ansible-rulebook (needs Java)
metrics: ## Metrics, alerts and dashboard, checked by promtool of Prometheus
pages: ## The pages of aem_report in a real browser (needs Chromium)
units: ## ansible-test units, on each ansible-core and each Python
sanity: ## ansible-test sanity, on each ansible-core
mutation: ## How many small changes of the code the unit tests notice, file by file (half an hour and more; ARGS="_client/checks.py")
molecule: ## The Molecule scenarios
window: ## The playbooks of a maintenance window, by name and from the tarball
docs: ## The documentation site, in .build/docs/html
docs-tables: ## Write the generated pages of docs/, and extensions/monitoring/, anew
importer: ## Build the collection and check it as Galaxy does
build: ## Build the tarball into .build/dist
release: ## Build what is published, into .build/release; GPG_KEY=... signs it
bench: ## Measure how fast the two ways are, beside ansible.builtin.uri

$(ONCE) $(foreach name,$(ON_EACH_CORE),$(call each,$(name))): .build/nox/complete
	$(call session,$@)

$(foreach name,$(ON_EACH_CORE),$(eval $(name): $(addprefix $(name)-,$(or $(CORE),$(CORES)))))

# Check the format, do not change it.
lint: export CI := true
lint: .build/nox/complete ## ruff, mypy, yamllint, ansible-lint, changelog, documentation, licences, workflows
	$(call session,$(LINT))

changelog: ARGS := release
changelog: .build/nox/complete ## Turn the fragments into the release notes of the version in galaxy.yml
	$(call session,changelog)

recording: ARGS := --record
recording: .build/nox/complete ## Make docs/demo.svg, the picture in README.md, anew from a real run
	$(call session,demo)

clean: ## Remove everything that was created
	rm -rf .build

.build/nox/complete: tests/tools/requirements/nox.txt tests/tools/bootstrap.py
	@rm -rf .build/nox .build/pythons
	@$(python) -m venv .build/nox
	@.build/nox/bin/python -m pip install --quiet --no-compile --requirement $<
	@.build/nox/bin/python tests/tools/bootstrap.py
	@touch $@
