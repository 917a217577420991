# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of extensions/awx, and the specs beside the playbooks, each against what reads it."""

from __future__ import annotations

import importlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dataops.qlik_em.tests.functional.awx.jobs import BIN
from ansible_collections.dataops.qlik_em.tests.functional.support.play import COLLECTIONS
from ansible_navigator.configuration_subsystem import to_schema
from ansible_navigator.configuration_subsystem.navigator_configuration import NavigatorConfiguration
from jsonschema import validate

COLLECTION = COLLECTIONS / "ansible_collections/dataops/qlik_em"
KIT = COLLECTION / "extensions/awx"
PLAYBOOKS = sorted(COLLECTION.glob("playbooks/*.meta.yml"))
MODULES = {
    "controller_credential_types": "credential_type",
    "controller_credentials": "credential",
    "controller_execution_environments": "execution_environment",
    "controller_notifications": "notification_template",
    "controller_projects": "project",
    "controller_inventories": "inventory",
    "controller_inventory_sources": "inventory_source",
    "controller_templates": "job_template",
    "controller_workflows": "workflow_job_template",
    "controller_schedules": "schedule",
}


class Loader(yaml.SafeLoader):
    """Reads what must not be a template as the text that it is."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


class Seen(Exception):
    """A module has said what its options are."""


def read(path: Path) -> Any:
    """Return a document in YAML."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


DATA = read(KIT / "awx.yml")
SURVEYS = {
    item["name"]: item["survey_spec"]
    for kind in ("controller_templates", "controller_workflows")
    for item in DATA[kind]
}


def spec_of(module: str, monkeypatch) -> dict[str, Any]:
    """Return the argument spec of a module of awx.awx."""

    def see(argument_spec: dict[str, Any], **_rest: Any) -> None:
        raise Seen(argument_spec)

    imported = importlib.import_module(f"ansible_collections.awx.awx.plugins.modules.{module}")
    monkeypatch.setattr(imported, "ControllerAPIModule", see)
    with pytest.raises(Seen) as seen:
        imported.main()
    return seen.value.args[0]


def options_of(playbook: str) -> dict[str, Any]:
    """Return the variables of a playbook."""
    return read(COLLECTION / "playbooks" / f"{playbook}.meta.yml")["argument_specs"]["main"]["options"]


@pytest.mark.parametrize(("kind", "module"), MODULES.items())
def test_items_have_the_options_of_the_real_modules(kind, module, monkeypatch) -> None:
    spec = spec_of(module, monkeypatch)
    validator = ArgumentSpecValidator(spec)
    for item in DATA[kind]:
        given = {
            name: spec[name]["default"] if name == "state" and "{{" in value else value
            for name, value in item.items()
            if name != "simplified_workflow_nodes"
        }
        assert validator.validate(given).error_messages == [], item["name"]


def test_nodes_have_the_options_of_the_real_module(monkeypatch) -> None:
    validator = ArgumentSpecValidator(spec_of("workflow_job_template_node", monkeypatch))
    for workflow in DATA["controller_workflows"]:
        for node in workflow["simplified_workflow_nodes"]:
            assert validator.validate({"workflow_job_template": "x", **node}).error_messages == []


def test_each_list_has_its_module() -> None:
    assert {name for name in DATA if name.startswith("controller_")} == set(MODULES)


@pytest.mark.parametrize("name", SURVEYS)
def test_questions_are_as_awx_demands(name) -> None:
    survey = SURVEYS[name]
    assert survey["name"] and survey["description"] and survey["spec"]
    for question in survey["spec"]:
        assert {"question_name", "variable", "type", "required"} <= set(question)
        assert question["type"] in ("text", "textarea", "integer", "multiplechoice")
        if question["type"] == "multiplechoice":
            assert all(isinstance(choice, str) for choice in question["choices"])
            assert question["default"] in question["choices"]


@pytest.mark.parametrize("template", DATA["controller_templates"], ids=lambda template: template["name"])
def test_questions_and_variables_are_those_of_the_playbook(template) -> None:
    known = options_of(template["playbook"].removesuffix(".yml"))
    asked = {question["variable"] for question in template["survey_spec"]["spec"]}
    assert asked | set(template.get("extra_vars", {})) <= set(known)


def test_the_specs_beside_the_playbooks_have_what_the_role_has() -> None:
    role = read(COLLECTION / "roles/maintenance_window/meta/argument_specs.yml")["argument_specs"]
    step = {name: role[name]["options"] for name in ("record", "freeze", "restore")}
    assert set(options_of("maintenance_begin")) == {*step["record"], *step["freeze"]}
    assert set(options_of("maintenance_end")) == set(step["restore"])
    assert set(options_of("maintenance_step")) == set(role["main"]["options"])


def test_each_playbook_has_a_spec_and_each_setting_of_awx_is_in_it() -> None:
    names = {path.name.removesuffix(".meta.yml") for path in PLAYBOOKS}
    assert names == {path.stem for path in COLLECTION.glob("playbooks/*.yml") if ".meta" not in path.name}
    settings = {name for name in DATA if name.startswith("qlik_em_awx_") and name != "qlik_em_awx_template"}
    assert set(options_of("awx_setup")) == settings


def test_the_execution_environment_can_be_built(tmp_path) -> None:
    file = KIT / "execution-environment.yml"
    command = [f"{BIN}/ansible-builder", "create", "-f", str(file), "-c", str(tmp_path / "context")]
    subprocess.run(command, check=True, capture_output=True)
    (instructions,) = tmp_path.glob("context/*file")
    assert 'PYPKG="python3.12"' in instructions.read_text()
    assert "ansible-core~=2.19.0" in instructions.read_text()
    assert read(tmp_path / "context/_build/requirements.yml")["collections"][0]["name"] == "dataops.qlik_em"


def test_the_collection_says_what_the_execution_environment_must_have() -> None:
    command = [f"{BIN}/ansible-builder", "introspect", str(COLLECTION.parents[2])]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "requests>=2.25.1" in found


def test_navigator_knows_its_settings() -> None:
    schema = to_schema(NavigatorConfiguration)
    validate(read(KIT / "project" / "ansible-navigator.yml"), schema)
