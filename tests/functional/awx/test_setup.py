# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""awx_setup.yml, with the real modules of awx.awx, against a stand-in that records what is written."""

from __future__ import annotations

from ansible_collections.dataops.qlik_em.tests.functional.awx.conftest import play
from ansible_collections.dataops.qlik_em.tests.functional.awx.jobs import NAME, linked

WORKFLOW = "Qlik EM: maintenance window"


def test_the_second_run_writes_nothing(setup) -> None:
    assert len(setup.first) > 40
    assert setup.second == []


def test_the_templates_for_the_credential_arrive_as_such(setup) -> None:
    injectors = setup.awx.named("credential_types", NAME)["injectors"]
    assert injectors["env"]["QLIK_EM_URL"] == "{{ url }}"
    assert injectors["file"]["template.ca"] == "{{ ca }}"


def test_each_job_template_has_the_credential_and_reports_failures(setup) -> None:
    awx = setup.awx
    for template in awx.items["job_templates"]:
        assert awx.linked("job_templates", template["name"], "credentials") == [awx.named("credentials", NAME)["id"]]
        assert awx.linked("job_templates", template["name"], "notification_templates_error")
        assert awx.related[template["related"]["survey_spec"]]["spec"]


def test_the_nodes_are_connected_as_described(setup) -> None:
    nodes = {node["id"]: node for node in setup.awx.items["workflow_job_template_nodes"]}
    links = {
        (node["identifier"], part, nodes[target]["identifier"])
        for node in nodes.values()
        for part in ("success_nodes", "failure_nodes")
        for target in linked(setup.awx, node, part)
    }
    assert links == {
        ("record", "success_nodes", "begin"),
        ("begin", "success_nodes", "freeze"),
        ("freeze", "success_nodes", "patched"),
        ("freeze", "failure_nodes", "go_back"),
        ("patched", "success_nodes", "restore"),
        ("patched", "failure_nodes", "go_back"),
        ("go_back", "success_nodes", "restore"),
        ("restore", "failure_nodes", "try_again"),
        ("try_again", "success_nodes", "restore_rest"),
        ("plan", "success_nodes", "approve"),
        ("approve", "success_nodes", "apply"),
    }


def test_what_is_missing_is_named_before_anything_is_sent(tmp_path) -> None:
    ended = play("awx_setup", "http://127.0.0.1:9", tmp_path, {"qlik_em_awx_image": "registry.example.com/ee:1"})
    assert ended.returncode == 2
    assert "Set qlik_em_awx_project_url" in ended.stdout
    assert "127.0.0.1" not in ended.stdout


def test_an_option_that_the_module_does_not_have_is_refused(setup, tmp_path) -> None:
    kinds = [{"name": NAME, "kind": "cloud", "colour": "green"}]
    given = {"qlik_em_awx_project_url": "x", "qlik_em_awx_image": "x", "controller_credential_types": kinds}
    ended = play("awx_setup", "http://127.0.0.1:9", tmp_path, given)
    assert "Unsupported parameters for (awx.awx.credential_type) module: colour" in ended.stdout


def test_the_project_has_what_job_templates_and_the_inventory_source_name(setup) -> None:
    named = {template["playbook"] for template in setup.awx.items["job_templates"]}
    named |= {source["source_path"] for source in setup.awx.items["inventory_sources"]}
    assert named | {"ansible.cfg", "ansible-navigator.yml", "collections"} == {
        path.name for path in setup.project.iterdir()
    }


def test_the_project_says_what_is_missing(tmp_path) -> None:
    assert "Set awx_project_path" in play("awx_project", "", tmp_path, {"awx_project_path": ""}).stdout
