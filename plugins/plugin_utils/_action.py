# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The frame that runs a resource function in the worker's own process, without starting a module."""

from __future__ import annotations

import multiprocessing
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import Any, ClassVar

from ansible import constants as C
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._client.connection import SECRET_OPTIONS, Connection, variable
from ..module_utils._client.errors import InputError, LoginRefused
from ..module_utils._client.interrupt import Interrupt
from ..module_utils._client.masking import Secrets, secrets_in
from ..module_utils._client.transport import REQUESTS_IMPORT_ERROR, Transport
from ..module_utils._common.file_diffs import shortened
from ..module_utils._common.files import read_file
from ..module_utils._run.arguments import Spec
from ..module_utils._run.result import Mode, Result, no_progress
from ..module_utils._run.run import run_resource
from ._controller import REFUSALS, plain, shown_lines

# Late in a module; here the parent of all workers imports it, once.
import_module("..module_utils._client.redaction", __package__)
display = Display()
# What Python up to 3.8 says of the type hints of a module (3.6: of the line that makes them texts).
OLD_PYTHON = re.compile("'(ABCMeta|type)' object is not subscriptable|future feature annotations is not defined")

# The connections of this worker: they outlive the items of a loop, sessions and logins do not. The process id is in
# the key because a worker is a fork, which must not use the connections of its parent.
_transports: dict[tuple[int, Connection, int], Transport] = {}


class ActionFrame(ActionBase):
    """Calls ``run_module`` with ``spec`` in this process if it may, else runs the ordinary module.

    Keeps no state, as ``until`` calls one object several times.
    """

    spec: ClassVar[Spec]
    validator: ClassVar[ArgumentSpecValidator]
    run_module: ClassVar[staticmethod[..., Result]]

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task and return its result, kept out of the output if it is a secret; a failure may be seen."""
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        starter = multiprocessing.parent_process()  # of a worker; known even if it has ended by now
        interrupt = Interrupt(starter.pid if starter else None)
        interrupt.check()  # a worker may outlive its parent: no further item of a loop then
        obstacle = self._obstacle(task_vars)
        if obstacle:
            display.vvv(f"{self._task.action} runs as a module: {obstacle}")
            wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
            arguments = self._arguments(is_here=self._connection.transport == "local")
            identity = self._module_login(arguments)
            try:
                REFUSALS.check(identity)
            except LoginRefused as refusal:
                result.update(refusal.as_result(), failed=True)
                return result
            executed = self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=wrap_async)
            result.update(self._refused_by_old_python(executed) or executed)
            if result.get("login_refused"):
                known = ("msg", "login_refused", "error_code", "error_message", "http_status", "url")
                REFUSALS.remember(identity, **{name: result[name] for name in known if name in result})
        else:
            display.vvv(f"{self._task.action} runs in process {os.getpid()}")
            result.update(self._run_in_process(task_vars, interrupt))
        if isinstance(result.get("diff"), dict):
            # As Ansible's own copy and template do: here, as a module does not know this setting.
            result["diff"] = shortened(result["diff"], C.MAX_FILE_SIZE_FOR_DIFF)
        if self.spec.returned_secret and not result.get("failed"):
            result["_ansible_no_log"] = True
        return result

    def _obstacle(self, task_vars: Mapping[str, Any]) -> str:
        """Return why the task cannot run in this process, or an empty string."""
        if boolean(self._templar.template(task_vars.get("aem_run_as_module", False)), strict=False):
            return "aem_run_as_module is true"
        if self._connection.transport != "local":  # not delegate_to: any host may have ansible_connection: local
            return f"the connection is {self._connection.transport}"
        if self._connection.become is not None:
            return "become"
        if self._task.async_val:
            return "async"
        if REQUESTS_IMPORT_ERROR:
            return f"ansible-core's own Python lacks a library: {REQUESTS_IMPORT_ERROR}"
        return ""

    def _arguments(self, is_here: bool = True) -> dict[str, Any]:
        """Return a copy of the task's arguments, the file to read found as usual: in `files/`, beside the playbook.

        Unless the module runs here, the file is copied into the temporary folder there, which Ansible removes. Raises
        AnsibleActionFail for what cannot be copied.
        """
        arguments, option = dict(self._task.args), self.spec.file_option
        if not option or not isinstance(arguments.get(option), str):
            return arguments
        try:
            path = self._find_needle("files", arguments[option])
        except AnsibleError:  # the resource says that there is none, if there is none there either
            return arguments
        if not is_here:
            try:
                read_file(option, path)  # copying a pipe would never end
            except InputError as error:
                raise AnsibleActionFail(error.message) from error
            folder = self._make_tmp_path()
            path = self._transfer_file(path, self._connection._shell.join_path(folder, os.path.basename(path)))
            self._fixup_perms2((folder, path))
        return {**arguments, option: path}

    def _refused_by_old_python(self, executed: Mapping[str, Any]) -> dict[str, Any]:
        """Return the failure of a module that could not even be imported, or an empty one: its Python is too old."""
        if not any(OLD_PYTHON.search(str(executed.get(member))) for member in ("msg", "module_stderr", "exception")):
            return {}
        python = str(getattr(self, "_used_interpreter", "") or "the Python of this host").removeprefix("#!")
        return {
            "failed": True,
            "changed": False,
            "msg": f"The modules need Python 3.9 or newer, and {python} is older. Nothing was sent.",
            "hint": "Set ansible_python_interpreter to a newer one, or let the task run in process: with delegate_to: "
            "localhost and without aem_run_as_module, it needs no Python of the host.",
        }

    def _module_login(self, arguments: Mapping[str, Any]) -> list[str]:
        """Return how a module logs in, as far as it can be seen from here: by options and variables.

        Another host may have variables of its own, so that its login is another one unless the options say it all.
        """
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        host = ""
        if self._connection.transport == "local":
            environment = {**os.environ, **environment}
        elif not any(arguments.get(option) for option in SECRET_OPTIONS) or not arguments.get("url"):
            host = str(self._play_context.remote_addr)
        names = ("url", "username", *SECRET_OPTIONS)
        given = [*(arguments.get(name) for name in names), *(environment.get(variable(name)) for name in names)]
        return [host, *(str(value or "") for value in given)]

    def _run_in_process(self, task_vars: Mapping[str, Any], interrupt: Interrupt) -> dict[str, Any]:
        """Do what the module would do, and return the same result."""
        arguments = self.spec.given(plain(self._arguments()))
        with self._surroundings(), interrupt:
            validation = self.validator.validate(arguments)
            params = validation.validated_parameters
            if validation.error_messages:  # the object itself is always true
                outcome = self._invalid(validation.errors, params, arguments)
            else:
                outcome = run_resource(
                    self.spec,
                    self.run_module,
                    params,
                    os.environ,
                    Mode(self._task.check_mode, self._task.diff, no_progress if self._task.no_log else _show_progress),
                    interrupt,
                    _pooled_transport,
                    refusals=REFUSALS,
                )
            # As the validator of a module does, which would warn through the display of a module.
            warnings = [
                f"Both option {one['option']} and its alias {one['alias']} are set." for one in validation._warnings
            ]
            if warnings:
                outcome["warnings"] = warnings + outcome.get("warnings", [])
            if self._wants_invocation(task_vars):
                secrets = self._secrets(params)
                shown = remove_values(secrets.mask(self.spec.shown(params)), validation._no_log_values)
                outcome["invocation"] = {"module_args": shown}
        if interrupt.signal:
            # Now as Ansible itself would take it: a loop must not go on with its next item.
            os.kill(os.getpid(), interrupt.signal)
        return outcome

    def _secrets(self, params: Mapping[str, Any]) -> Secrets:
        return Secrets(secrets_in(params, os.environ, self.spec.secret_options))

    def _invalid(self, failures: Any, params: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the failure of the validation of what is ``given`` in the words of the module."""
        message = self.spec.refusal(failures.msg, given)
        if isinstance(failures.errors[0], UnsupportedError):
            message = f"Unsupported parameters for ({self._task.action}) module: {message}"
        return {"failed": True, "changed": False, "msg": shown_lines(self._secrets(params), message)}

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        """Give the surroundings of a module, and restore them: the task's `environment:`, and the playbook's folder."""
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        # These variables only: to put all of them back takes longer than all else here.
        before, folder = {name: os.environ.get(name) for name in environment}, os.getcwd()
        try:
            os.environ.update({name: str(value) for name, value in environment.items()})
            os.chdir(self._loader.get_basedir())
            yield
        finally:
            os.chdir(folder)
            for name, value in before.items():
                if value is not None:
                    os.environ[name] = value
                elif name in os.environ:
                    del os.environ[name]

    @staticmethod
    def _wants_invocation(task_vars: Mapping[str, Any]) -> bool:
        """Return whether a module would show its arguments: always up to ansible-core 2.20, then if configured."""
        try:
            return C.config.get_config_value("INJECT_INVOCATION", variables=task_vars)
        except AnsibleError:
            return True


def action_plugin(name: str) -> tuple[type[ActionFrame], Callable[[], None]]:
    """Return the action plugin for the module whose name ``name`` ends in, and the module's ``main``.

    ansible-lint checks the arguments of a task by the latter. The plugins are files, not links to one: antsibull-docs
    takes a link for a redirect, and would document no module but one.
    """
    module = import_module(f"..modules.{name.rpartition('.')[2]}", __package__)

    class ActionModule(ActionFrame):
        """Runs the module in process where it can."""

        _supports_async = not module.SPEC.returned_secret  # the result of an async task is kept in a file
        spec = module.SPEC
        validator = ArgumentSpecValidator(spec.argument_spec, required_if=spec.required_if)
        run_module = staticmethod(module.run)

    ActionModule.__module__ = name
    return ActionModule, module.main


def _pooled_transport(connection: Connection, connections: int) -> AbstractContextManager[Transport]:
    """Return the connections of this worker to that host; TLS and proxy options are a part of it, the login is not."""
    key = (os.getpid(), connection._replace(login=None, session_id=None), connections)
    if key not in _transports:
        _transports[key] = Transport(connection, connections)
    return nullcontext(_transports[key])


def _show_progress(line: str) -> None:
    """Show a line of progress while the task runs; on standard error, where it is nobody's result."""
    display.display(line, stderr=True)
