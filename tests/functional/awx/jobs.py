# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX makes of a job template: the rendered credential, the variables, a run of ansible-runner, the artifacts.

The rendering is AWX's own (awx_plugins.interfaces). Only what is the path of a file in a container is one of this
machine here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.dataops.qlik_em.tests.functional.awx.controller import PREFIX, Awx, Item
from ansible_collections.dataops.qlik_em.tests.functional.support.play import COLLECTIONS, COMPILED
from awx_plugins.interfaces._temporary_private_api import ManagedCredentialType
from awx_plugins.interfaces._temporary_private_credential_api import Credential
from awx_plugins.interfaces._temporary_private_inject_api import inject_credential

BIN = Path(sys.executable).parent
NAME = "Qlik Enterprise Manager"


class Job(NamedTuple):
    """How a job ended, what it printed, what it hands to the next nodes, and the results of its tasks in its events."""

    successful: bool
    output: str
    artifacts: dict[str, Any]
    results: dict[str, Any]


class Jobs:
    """Runs the job templates of an AWX in folders of their own, with one credential."""

    def __init__(self, awx: Awx, project: Path, folder: Path, inputs: dict[str, Any]) -> None:
        self._awx, self._project, self._folder, self.inputs = awx, project, folder, inputs
        self.variables: dict[str, str] = {}  # of the last job

    def launch(self, template: str, artifacts: dict[str, Any] | None = None, **answers: Any) -> Job:
        """Run a job; what is not answered of the survey gets its default."""
        item = self._awx.named("job_templates", template)
        survey = self._awx.related.get(item["related"]["survey_spec"], {"spec": []})["spec"]
        defaults = {question["variable"]: question["default"] for question in survey if "default" in question}
        given = json.loads(item.get("extra_vars") or "{}") | defaults | (artifacts or {}) | answers
        folder = self.new_folder()
        (folder / "env" / "extravars").write_text(json.dumps(given))
        (folder / "env" / "envvars").write_text(json.dumps(self.variables))
        command = [f"{BIN}/ansible-runner", "run", str(folder), "-p", item["playbook"], "--ident", "1", "--quiet"]
        ended = subprocess.run(command, env={"PATH": f"{BIN}:{os.environ['PATH']}"}, check=False, capture_output=True)
        left = folder / "artifacts" / "1"
        files = sorted((left / "job_events").iterdir(), key=lambda file: int(file.name.partition("-")[0]))
        events = [json.loads(file.read_text()) for file in files]
        results = {
            event["event_data"]["task"]: event["event_data"]["res"]
            for event in events
            if event["event"] in ("runner_on_ok", "runner_on_failed")
        }
        last = next((event["event_data"] for event in events if event["event"] == "playbook_on_stats"), {})
        output = re.sub(r"\x1b\[[\d;]*m|\r", "", (left / "stdout").read_text())
        return Job(ended.returncode == 0, output, last.get("artifact_data", {}), results)

    def new_folder(self) -> Path:
        """Make the folder of a job, with the project and the files of the credential; its variables are kept."""
        folder = self._folder / f"job-{len([*self._folder.iterdir()])}"
        (folder / "env").mkdir(parents=True)
        (folder / "inventory").mkdir()
        (folder / "inventory" / "hosts").write_text("localhost ansible_connection=local\n")
        shutil.copytree(self._project, folder / "project")
        kind = self._awx.named("credential_types", NAME)
        wanted = ManagedCredentialType("", NAME, kind["kind"], kind["inputs"], kind["injectors"])
        env: dict[str, Any] = {}
        inject_credential(wanted, Credential(self.inputs), env, {}, [], str(folder))
        self.variables = {
            **{name: value.replace("/runner/", f"{folder}/") for name, value in env.items()},
            **COMPILED,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(self._folder),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        }
        return folder


def walk(awx: Awx, jobs: Jobs, workflow: str, denied: tuple[str, ...] = (), **answers: Any) -> list[str]:
    """Run a workflow as AWX does, and approve all but what is denied; return the nodes that ran, each with its end."""
    number = awx.named("workflow_job_templates", workflow)["id"]
    nodes = [node for node in awx.items["workflow_job_template_nodes"] if node["workflow_job_template"] == number]
    targets = {
        target
        for node in nodes
        for part in ("success_nodes", "failure_nodes", "always_nodes")
        for target in linked(awx, node, part)
    }
    ready, done = [node for node in nodes if node["id"] not in targets], []
    artifacts: dict[str, Any] = {}
    while ready:
        node = ready.pop(0)
        template = next((one for one in awx.items["job_templates"] if one["id"] == node["unified_job_template"]), None)
        if template:
            job = jobs.launch(template["name"], artifacts, **answers)
            artifacts = artifacts | job.artifacts
            successful = job.successful
        else:
            successful = node["identifier"] not in denied
        done.append(f"{node['identifier']} {'succeeded' if successful else 'failed'}")
        part = "success_nodes" if successful else "failure_nodes"
        ready += [one for one in nodes if one["id"] in linked(awx, node, part) + linked(awx, node, "always_nodes")]
    return done


def linked(awx: Awx, node: Item, part: str) -> list[int]:
    """Return the ids of the nodes that follow."""
    return awx.related.get(f"{PREFIX}workflow_job_template_nodes/{node['id']}/{part}/", [])
