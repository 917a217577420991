# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role maintenance_window and its playbooks: what is printed, passed on, and refused before anything is sent."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import second_look
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import COLLECTIONS, Controller, await_that

ROLE = "dataops.qlik_em.maintenance_window"
GUIDE = COLLECTIONS / "ansible_collections/dataops/qlik_em/docs/maintenance_windows.md"
SPECS = COLLECTIONS / "ansible_collections/dataops/qlik_em/roles/maintenance_window/meta/argument_specs.yml"
PROD = {"maintenance_window_include": [{"server": "Replicate-Prod", "tag": ["erp"]}]}
QUICK = {"maintenance_window_wait_sleep": 0.1}
HERE = {"maintenance_window_path": "/nowhere/night.json"}
RAN = {"orders", "Aufträge & Kunden 100%"}  # with this tag


@pytest.fixture
def controller(em, tmp_path: Path) -> Controller:
    """A controller whose variables lead to the stand-in, with a folder for the checkpoint."""
    variables = {f"QLIK_EM_{name.upper()}": getattr(em, name) for name in ("url", "ca_path", "username", "password")}
    return Controller(tmp_path, variables)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the checkpoint is to lie."""
    return str(tmp_path / "night.json")


def play(controller: Controller, playbook: str, *arguments: str, status: int = 0, **variables: Any) -> str:
    """Run a playbook of the collection by its name, with these variables, and return its output."""
    given = ("-e", json.dumps(QUICK | variables))
    with controller.start("ansible-playbook", *arguments, *given, f"dataops.qlik_em.{playbook}") as child:
        assert child.wait() == status, child.output
        return child.output


def step(controller: Controller, name: str, status: int = 0, **variables: Any) -> str:
    """Do a step of the role in a run of its own, as a node of a workflow does, and return its output."""
    given = ("-e", json.dumps(QUICK | variables | {"maintenance_window_step": name}))
    task = {"ansible.builtin.include_role": {"name": ROLE}}
    with controller.play([task], *given, variables={"ANSIBLE_SHOW_CUSTOM_STATS": "true"}) as child:
        assert child.wait() == status, child.output
        return child.output


def statistics(output: str) -> dict[str, Any]:
    """Return what a run has passed on."""
    found = output.rpartition("RUN: ")[2]
    return json.JSONDecoder().raw_decode(found)[0]


def stopped(em) -> set[str]:
    return {name for name in RAN if em.task("Replicate-Prod", name)["state"] == "STOPPED"}


def writes(em) -> list[Any]:
    return [request for request in em.requests() if request["operation"] in ("RunTask", "StopTask")]


def test_the_checkpoint_travels_from_node_to_node_without_a_file(controller, em):
    handed_on = statistics(step(controller, "record", **PROD))
    assert set(handed_on) == {"maintenance_window_checkpoint"}
    handed_on = statistics(step(controller, "freeze", **handed_on))
    assert handed_on["maintenance_window_checkpoint"]["phase"] == "frozen"  # so nothing is watched that runs again
    assert stopped(em) == RAN
    step(controller, "restore", **handed_on)
    assert not stopped(em)
    assert len(writes(em)) == 2 * len(RAN)


def test_the_checkpoint_is_handed_on_beside_the_file_too(controller, em, path):
    handed_on = statistics(step(controller, "record", maintenance_window_path=path, **PROD))
    assert handed_on["maintenance_window_checkpoint"] == json.loads(Path(path).read_text(encoding="utf-8"))


def test_a_workflow_in_awx_with_a_shared_folder_may_be_launched_again(controller, em, path):
    """The artifact is handed on to each node; it must not keep the file from being used."""
    file = {"maintenance_window_path": path}
    artifact = statistics(step(controller, "record", **PROD, **file))
    step(controller, "freeze", **artifact, **file)
    assert stopped(em) == RAN and json.loads(Path(path).read_text(encoding="utf-8"))["phase"] == "frozen"
    assert Path(f"{path}.journal").exists()
    second = statistics(step(controller, "record", **PROD, **file))  # the patch has failed: all of it again
    step(controller, "freeze", **second, **file)
    step(controller, "restore", **second, **file)
    assert not stopped(em) and len(writes(em)) == 2 * len(RAN)
    assert "is over" in step(controller, "restore", **artifact, **file)


def test_each_step_writes_its_page_also_if_it_fails(controller, em, path, tmp_path):
    given = {**PROD, "maintenance_window_path": path, "maintenance_window_report": str(tmp_path / "night.html")}
    assert f"The page is {tmp_path}/night-freeze.html" in play(controller, "maintenance_begin", **given)
    em.set_task("Replicate-Prod", "orders", fail_start="No.")
    assert f"The page is {tmp_path}/night-restore.html" in play(controller, "maintenance_end", status=2, **given)
    pages = [(tmp_path / f"night-{name}.html").read_text(encoding="utf-8") for name in ("freeze", "restore")]
    assert "<title>Maintenance window: freeze</title>" in pages[0] and "2 tasks: 2 changed." in pages[0]
    assert "It failed. 2 tasks: 1 failed and 1 changed." in pages[1]
    assert len((tmp_path / "night-restore.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_a_page_that_cannot_be_written_is_said_and_stops_nothing(controller, em, path, tmp_path):
    (tmp_path / "night-freeze.html").mkdir()
    given = {**PROD, "maintenance_window_path": path, "maintenance_window_report": str(tmp_path / "night.html")}
    assert "No page was written: dest (" in play(controller, "maintenance_begin", **given)
    assert stopped(em) == RAN


def test_the_artifact_of_another_window_is_refused(controller, em, path):
    file = {"maintenance_window_path": path}
    artifact = statistics(step(controller, "record", **PROD, **file))
    document = artifact["maintenance_window_checkpoint"]
    for recorded, which in (("2001-01-01T00:00:00Z", "an earlier"), ("2999-01-01T00:00:00Z", "a newer")):
        other = {"maintenance_window_checkpoint": document | {"recorded": recorded}}
        output = step(controller, "freeze", status=2, **other, **file)
        assert f"the one in the option checkpoint {recorded}: that belongs to {which} window." in output
    assert not writes(em)


def test_a_window_that_was_frozen_by_the_artifact_alone_is_not_recorded_over(controller, em, path):
    """As the role of release 1.0.0 did, whose file stays as it was recorded."""
    file = {"maintenance_window_path": path}
    artifact = statistics(step(controller, "record", **PROD, **file))
    step(controller, "freeze", **artifact)
    text = Path(path).read_text(encoding="utf-8")
    output = step(controller, "record", status=2, **PROD, **file)
    assert "2 of the tasks that ran then did not come back: Replicate-Prod/" in output
    assert Path(path).read_text(encoding="utf-8") == text
    step(controller, "restore", **file)
    assert not stopped(em)


def test_a_failure_shows_the_message_of_the_module_and_what_was_done_all_the_same(controller, em, path):
    selected = {"maintenance_window_include": [{"server": "Replicate-Prod", "tag": ["prod"]}]}
    output = play(controller, "maintenance_begin", status=2, maintenance_window_path=path, **selected)
    summary = output.rpartition("Say what was stopped")[2]
    assert '"Of 3 tasks that ran: stopped 2, nothing to do 0, left alone 0, failed 1."' in summary
    assert '"1 of 3 tasks failed."' in summary and '"Replicate-Prod/locked: StopTask of task' in summary
    assert f'"The checkpoint is {path}"' in summary and "Replicate-Prod/orders" not in summary
    begin, end = (re.findall(rf'"{way}: (.*)"', summary)[0] for way in ("To continue", "To go back"))
    for line, playbook, given in ((begin, "maintenance_begin", selected), (end, "maintenance_end", {})):
        *command, variables = shlex.split(json.loads(f'"{line}"'))
        assert command == ["ansible-playbook", f"dataops.qlik_em.{playbook}", "-e"]
        assert json.loads(variables) == {"maintenance_window_path": path, **given}
    output = play(controller, "maintenance_end", maintenance_window_path=path)
    assert "Of 3 tasks that ran: started 2, nothing to do 1, left alone 0, failed 0." in output
    assert '"nothing to do: Replicate-Prod/locked. It was already RUNNING."' in output


def test_a_task_that_is_left_running_is_named_with_the_reason(controller, em, path):
    em.set_task("Replicate-Prod", "orders", details={"full_load_counters": {"tables_loading_count": 2}})
    output = play(
        controller,
        "maintenance_begin",
        maintenance_window_path=path,
        maintenance_window_on_full_load="skip",
        **PROD,
    )
    assert (
        '"left alone: Replicate-Prod/orders. Left running: a full load is in progress (on_full_load: skip)."'
    ) in output
    assert stopped(em) == RAN - {"orders"}


def test_of_many_tasks_only_some_are_named(controller, em, path):
    many = [{"name": f"task {number}", "state": "RUNNING"} for number in range(23)]
    operator = {"name": "operator", "logins": [em.username], "password": em.password, "grants": [{"role": "Operator"}]}
    em.reset({"users": [operator], "servers": [{"name": "Many", "tasks": many}]})
    include = [{"server": "Many"}]
    output = play(controller, "maintenance_begin", maintenance_window_path=path, maintenance_window_include=include)
    assert "Of 23 tasks that ran: stopped 23," in output
    assert output.count('"stopped: Many/task ') == 20
    assert '"... and 3 more"' in output


def test_a_name_that_a_server_gives_forges_no_line_of_the_summary(controller, em, path):
    operator = {"name": "operator", "logins": [em.username], "password": em.password, "grants": [{"role": "Operator"}]}
    tasks = [{"name": "a\u2028stopped: Many/b\u202e", "state": "RUNNING"}]
    em.reset({"users": [operator], "servers": [{"name": "Many", "tasks": tasks}]})
    include = [{"server": "Many"}]
    output = play(controller, "maintenance_begin", maintenance_window_path=path, maintenance_window_include=include)
    assert '"stopped: Many/a?stopped: Many/b?"' in output


def test_the_order_that_is_found_out_is_shown_in_a_dry_run_and_is_in_the_command_to_go_on_with(controller, em, path):
    em.set_task("Replicate-Prod", "orders", fail_stop="No.")
    selectors = {"before": [{"name": "Auf*"}], "after": [{"name": "orders"}]}
    given = {"maintenance_window_waves": "auto", "maintenance_window_dependencies": [selectors]}
    for arguments, status in (("--check",), 0), ((), 2):
        output = play(
            controller, "maintenance_begin", *arguments, status=status, maintenance_window_path=path, **PROD, **given
        )
        tree = [
            "Replicate-Prod/Aufträge & Kunden 100%: start wave 1, stop wave 2",
            "then (item 1 of dependencies)",
            "|- Replicate-Prod/orders: start wave 2, stop wave 1",
        ]
        shown = "\n".join(["The order:", *tree, ""])
        assert (shown in output) is (not status), output
    begin = re.findall(r'"To continue: (.*)"', output)[-1]
    variables = json.loads(shlex.split(json.loads(f'"{begin}"'))[-1])
    assert variables == {"maintenance_window_path": path, **PROD, **given}


def test_a_failure_of_the_role_names_its_own_variables(controller, em, path):
    em.set_task("Replicate-Prod", "orders", fail_stop="No.", fail_start="No.")
    handed_on = statistics(step(controller, "record", maintenance_window_path=path, **PROD))
    file = {"maintenance_window_path": path}
    again = "the same maintenance_window_checkpoint (in AWX: relaunch this job, never the workflow)"
    for given, source in ((file, f"maintenance_window_path: {path}"), (handed_on, again)):
        output = step(controller, "freeze", status=2, **given)
        assert f"To continue, run the role again with maintenance_window_step: freeze, {source}" in output
        assert f"To go back, run it with maintenance_window_step: restore, {source}" in output
        em.set_task("Replicate-Prod", "orders", state="STOPPED")
        output = step(controller, "restore", status=2, **given)
        assert f"To continue, run the role again with maintenance_window_step: restore, {source}" in output
        em.set_task("Replicate-Prod", "orders", state="RUNNING")


def test_ctrl_c_shows_the_command_to_go_on_with(controller, em, path):
    em.set_task("Replicate-Prod", "orders", stop_seconds=20)
    given = ("-e", json.dumps({"maintenance_window_path": path, **PROD}))
    with controller.start("ansible-playbook", *given, "dataops.qlik_em.maintenance_begin") as child:
        await_that(lambda: em.task("Replicate-Prod", "orders")["state"] == "STOPPING", "it is being stopped")
        child.press_ctrl_c()
        assert child.wait() != 0
    file = json.dumps({"maintenance_window_path": path})
    lines = child.output.splitlines()
    for line in (
        f"The checkpoint is {path}",
        f"To go back: ansible-playbook dataops.qlik_em.maintenance_end -e '{file}'",
    ):
        assert line in lines, child.output
    assert any(
        line.startswith("To continue: ansible-playbook dataops.qlik_em.maintenance_begin -e '{") for line in lines
    )


def test_the_command_to_go_on_with_stops_and_starts_in_the_same_manner(controller, em, path):
    """Else it would stop the full loads that were to be left, and start a wave before the one before has caught up."""
    em.set_task("Replicate-Prod", "orders", fail_stop="No.", fail_start="No.")
    file, left, wait = (
        {"maintenance_window_path": path},
        {"maintenance_window_on_full_load": "skip", "maintenance_window_on_restart": "stop"},  # the latter by default
        {"maintenance_window_start_when": {"max_latency": 30}},
    )
    selected = {**PROD, "maintenance_window_exclude": [{"state": ["error"]}]}
    output = play(controller, "maintenance_begin", status=2, **file, **selected, **left, **wait).replace('\\"', '"')
    again = json.dumps({**file, **selected, "maintenance_window_on_full_load": "skip"})
    assert f"To continue: ansible-playbook dataops.qlik_em.maintenance_begin -e '{again}'" in output
    assert f"To go back: ansible-playbook dataops.qlik_em.maintenance_end -e '{json.dumps({**file, **wait})}'" in output
    em.set_task("Replicate-Prod", "orders", state="STOPPED")
    output = play(controller, "maintenance_end", status=2, **file, **wait).replace('\\"', '"')
    assert (
        f"To continue: ansible-playbook dataops.qlik_em.maintenance_end -e '{json.dumps({**file, **wait})}'" in output
    )


def test_a_restore_from_safe_points_is_gone_on_with_from_there(controller, em, path):
    """Else the rest would be resumed where it stopped, which is what nobody trusts."""
    play(controller, "maintenance_begin", maintenance_window_path=path, **PROD)
    safe = {"maintenance_window_from": "safe_point", "maintenance_window_restart_margin": 60}
    assert "it needs force: true" in play(controller, "maintenance_end", status=2, maintenance_window_path=path, **safe)
    safe["maintenance_window_force"] = True
    em.set_task("Replicate-Prod", "orders", fail_start="No licence.")
    output = play(controller, "maintenance_end", status=2, maintenance_window_path=path, **safe)
    again = json.dumps({"maintenance_window_path": path, **safe})
    assert f"To continue: ansible-playbook dataops.qlik_em.maintenance_end -e '{again}'" in output.replace('\\"', '"')
    em.set_task("Replicate-Prod", "orders", fail_start=None)
    play(controller, "maintenance_end", **json.loads(again))
    runs = em.task("Replicate-Prod", "orders")["runs"]
    assert [run["option"] for run in runs] == ["RESUME_PROCESSING_FROM_TIMESTAMP"]
    # In the words of the role
    em.set_task("Replicate-Prod", "orders", state="STOPPED", fail_start="No licence.")
    Path(path).write_text(Path(path).read_text(encoding="utf-8").replace('"restored"', '"restoring"'), encoding="utf-8")
    output = step(controller, "restore", status=2, maintenance_window_path=path, **safe)
    words = "maintenance_window_from: safe_point, maintenance_window_restart_margin: 60, maintenance_window_force: True"
    assert f"maintenance_window_path: {path}, {words}" in output


def test_the_role_waits_between_waves(controller, em, path):
    waves = {"maintenance_window_waves": [{"name": "Auf*"}]}
    play(controller, "maintenance_begin", maintenance_window_path=path, **(PROD | waves))
    em.set_task("Replicate-Prod", "orders", total_latency=600)
    when = {"maintenance_window_start_when": {"timeout": 1}, "maintenance_window_wait_sleep": 0.1}
    output = play(controller, "maintenance_end", status=2, maintenance_window_path=path, **when)
    assert "has not caught up within 1 s (start_when): its latency is 600 s." in output
    assert stopped(em) == RAN - {"orders"}


def test_a_dry_run_of_both_playbooks_reports_and_sends_nothing(controller, em, path):
    output = play(controller, "maintenance_begin", "--check", maintenance_window_path=path, **PROD)
    assert "Of 2 tasks that ran: would be stopped 2, nothing to do 0, left alone 0, failed 0." in output
    assert '"would be stopped: Replicate-Prod/orders"' in output
    assert not Path(path).exists()
    assert not writes(em)
    play(controller, "maintenance_begin", maintenance_window_path=path, **PROD)
    em.clear_requests()
    output = play(controller, "maintenance_end", "--check", maintenance_window_path=path)
    assert '"would be started: Replicate-Prod/orders"' in output
    assert not writes(em)


@pytest.mark.parametrize(
    ("playbook", "variables", "says"),
    [
        ("maintenance_begin", PROD, "Set maintenance_window_path, to a file that outlives this run."),
        ("maintenance_begin", PROD | {"maintenance_window_path": "night.json"}, "must be an absolute path"),
        ("maintenance_begin", {"maintenance_window_path": "/nowhere/night.json"}, "maintenance_window_include"),
        ("maintenance_begin", {**PROD, **HERE, "maintenance_window_include": " "}, "Set maintenance_window_include to"),
        (
            "maintenance_begin",
            {**HERE, "maintenance_window_includes": []},
            'Did you mean "maintenance_window_include"?',
        ),
        (
            "maintenance_begin",
            {**PROD, **HERE, "maintenance_window_parallel": 0},
            "maintenance_window_parallel must be",
        ),
        (
            "maintenance_begin",
            {**HERE, "maintenance_window_include": [{"sever": "Replicate-Prod"}]},
            '"msg": "Unsupported parameters: maintenance_window_include.sever. Supported parameters include: name, ',
        ),
        ("maintenance_begin", {**HERE, "maintenance_window_include": "[{"}, "that is neither YAML nor JSON (line 1)"),
        ("maintenance_end", {}, "Set maintenance_window_path to the file of the window."),
        ("maintenance_end", {"maintenance_window_path": ""}, "Set maintenance_window_path to the file of the window."),
        ("maintenance_end", {"maintenance_window_path": "./night.json"}, "must be an absolute path"),
        ("maintenance_end", {"maintenance_window_path": "/nowhere/night.json"}, "/nowhere/night.json"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_sent(controller, em, playbook, variables, says):
    assert says in play(controller, playbook, status=2, **variables)
    assert not em.requests()


def test_what_a_survey_gives_for_no_answer_is_not_given_and_lists_may_be_texts(controller, em, path):
    """As in AWX, whose surveys know texts and numbers only."""
    names = yaml.safe_load(SPECS.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    given = dict.fromkeys(names, "") | {"maintenance_window_path": path}
    del given["maintenance_window_step"]
    given |= {
        "maintenance_window_include": json.dumps(PROD["maintenance_window_include"]),
        "maintenance_window_exclude": "- server: Replicate-Prod\n  name: orders",
        "maintenance_window_waves": '[{"server": "Replicate-Prod"}]',
    }
    for name in ("record", "freeze"):
        output = step(controller, name, **given)
    assert stopped(em) == RAN - {"orders"}
    step(controller, "restore", **given | {"maintenance_window_include": ""})
    assert not stopped(em)
    em.set_task("Replicate-Prod", "orders", fail_stop="No.")
    output = play(controller, "maintenance_begin", status=2, **given | {"maintenance_window_exclude": ""})
    line = re.findall(r'"To continue: (.*)"', output)[0]
    shown = json.loads(shlex.split(json.loads(f'"{line}"'))[-1])
    assert shown == {
        "maintenance_window_path": path,
        **PROD,
        "maintenance_window_waves": [{"server": "Replicate-Prod"}],
    }


def rows_of_the_guide() -> str:
    """Return the table of what happened, what is seen and what to type."""
    return GUIDE.read_text(encoding="utf-8").partition("### When something goes wrong")[2].partition("\n\n**The ch")[0]


def test_a_stop_that_takes_too_long_is_joined_or_undone_as_the_guide_says(controller, em, path):
    """Its server does not show that it goes on."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=40, show_transient=False)
    given = {"maintenance_window_path": path, **PROD, "maintenance_window_timeout": 1}
    output = play(controller, "maintenance_begin", status=2, **given, maintenance_window_wait_timeout=1)
    assert "1 of 2 tasks failed." in output and "AEM_STOP_TASK_TIMEOUT" in output
    assert "AEM_STOP_TASK_TIMEOUT" in rows_of_the_guide()
    play(controller, "maintenance_begin", **given, maintenance_window_wait_timeout=60)
    assert stopped(em) == RAN and em.task("Replicate-Prod", "orders")["stops"] == 1
    play(controller, "maintenance_end", **given)
    assert not stopped(em) and len(em.task("Replicate-Prod", "orders")["runs"]) == 1


def test_the_guide_quotes_what_is_said_of_a_task_that_is_started_again_each_time():
    """That it is said is tested in test_aem_maintenance_window_races.py."""
    assert f"`{second_look.UNSTOPPABLE}`" in rows_of_the_guide()


def test_a_restore_that_is_killed_is_repeated_as_the_guide_says(controller, em, path):
    """However often: a start under way is not sent a second time."""
    play(controller, "maintenance_begin", maintenance_window_path=path, **PROD)
    for name in RAN:
        em.set_task("Replicate-Prod", name, start_seconds=3, show_transient=False)
    given = ("-e", json.dumps(QUICK | {"maintenance_window_path": path, "maintenance_window_parallel": 1}))
    for _time in RAN:
        begun = len(writes(em))
        with controller.start("ansible-playbook", *given, "dataops.qlik_em.maintenance_end") as child:
            await_that(lambda before=begun: len(writes(em)) > before, "a start")
            child.kill()
    play(controller, "maintenance_end", maintenance_window_path=path)
    assert not stopped(em) and [len(em.task("Replicate-Prod", name)["runs"]) for name in RAN] == [1, 1]
    assert len([one for one in writes(em) if one["operation"] == "RunTask"]) == len(RAN)


def test_a_step_that_does_not_exist_is_refused(controller, em):
    assert "must be one of: record, freeze, restore" in step(controller, "thaw", status=2)
    assert not em.requests()
