# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who runs the modules: their own specs and frame, without Ansible's process around them."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dataops.qlik_em.plugins import modules
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.interrupt import Interrupt
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.limits import Limits
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.transport import Transport
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.result import Mode
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.run import run_resource
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

MODULES = {
    found.name: importlib.import_module(f"{modules.__name__}.{found.name}")
    for found in pkgutil.iter_modules(modules.__path__)
}
LOGIN_OPTIONS = {"username", "password", "api_token", "jwt", "session_id"}
WRITES = {"RunTask", "StopTask"}


@dataclass
class Run:
    """What one run of a module gave back, and what it sent."""

    result: dict[str, Any]
    requests: list[dict[str, Any]]

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))

    @property
    def changed(self) -> bool:
        return self.result["changed"]

    @property
    def msg(self) -> str:
        return self.result["msg"]

    @property
    def operations(self) -> list[str | None]:
        """The methods that were called, in order."""
        return [request["operation"] for request in self.requests]

    @property
    def writes(self) -> list[str | None]:
        """The calls that could change something, sent or repeated."""
        return [operation for operation in self.operations if operation in WRITES]

    @property
    def executed_writes(self) -> list[str | None]:
        """The calls that did change something in the stand-in."""
        return [r["operation"] for r in self.requests if r["operation"] in WRITES and r["executed"]]


@dataclass
class User:
    """Somebody who runs our modules against a stand-in, with certificate checks on."""

    em: Handle
    environ: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    progress: list[str] = field(default_factory=list)
    transport: Any = Transport
    limits: ClassVar[Limits] = Limits(first_pause=0.01)  # no test needs the pauses of a real run

    def run(self, module: str, check: bool = False, diff: bool = False, **options: Any) -> Run:
        """Run a module as its frame does; the connection options are given unless `options` or `environ` have them."""
        arguments = {"url": self.em.url, "ca_path": self.em.ca_path, **self.defaults, **options}
        if not LOGIN_OPTIONS & set(arguments) and not any(name.startswith("QLIK_EM_") for name in self.environ):
            arguments.update(username=self.em.username, password=self.em.password)
        plugin = MODULES[module]
        spec = plugin.SPEC
        validator = ArgumentSpecValidator(spec.argument_spec, required_if=spec.required_if)
        validation = validator.validate(
            spec.given({name: value for name, value in arguments.items() if value is not None})
        )
        if validation.error_messages:
            return Run({"failed": True, "changed": False, "msg": validation.error_messages[0]}, [])
        before = len(self.em.requests())
        mode = Mode(check, diff, self.progress.append)
        with Interrupt() as interrupt:
            params = validation.validated_parameters
            result = run_resource(spec, plugin.run, params, self.environ, mode, interrupt, self.transport, self.limits)
        return Run(result, self.em.requests()[before:])

    def task(self, name: str = "orders", state: str = "stopped", **options: Any) -> Run:
        """Run aem_task on a task of Replicate-Prod, with short pauses."""
        return self.run(
            "aem_task", **{"server": "Replicate-Prod", "name": name, "state": state, "wait_sleep": 0.1, **options}
        )
