# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The argument specs: of the connection, of a wait (their documentation is in fragments), and of a module."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import AnsibleFallbackNotFound

from .._client.connection import LOGIN_OPTIONS, OPTIONS, SECRET_OPTIONS, variable
from .._client.errors import InputError
from .._client.masking import Finder

# Where an empty text is not the same as none: an object must be named or left out on purpose, a description can be
# empty.
NAMES = frozenset(
    ["application", "description", "endpoint", "name", "path", "schema", "server", "table", "task"],
)

# How Ansible begins when a list should hold dictionaries and holds a text: it does not say in which option.
NOT_DICTS = ("dictionary requested, ", "unable to evaluate string as dictionary")


def _from_variable(name: str) -> str:
    """Return the value of an environment variable; raise AnsibleFallbackNotFound if it is not set or empty."""
    if not os.environ.get(name):
        raise AnsibleFallbackNotFound
    return os.environ[name]


def connection_options() -> dict[str, Any]:
    """Return the spec of the connection options; documented in ``connection``."""
    return {option: _connection_option(option, kind, default) for option, (kind, default) in OPTIONS.items()}


def _connection_option(option: str, kind: str, default: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {"type": kind}
    if default is not None:
        spec["default"] = default
    if option in SECRET_OPTIONS:
        spec["no_log"] = True
    if option == "client_key":
        spec["no_log"] = False  # a path; Ansible takes the name for that of a secret
    if option not in LOGIN_OPTIONS:  # those count only if no option logs in (_client/connection)
        spec["fallback"] = (_from_variable, [variable(option)])
    return spec


def waiting_options() -> dict[str, Any]:
    """Return the spec of the options that bound a wait; documented in ``tasks``."""
    return {
        "wait_timeout": {"type": "int", "default": 300},
        "wait_sleep": {"type": "float", "default": 2},
    }


def checked(option: str, value: Any, spec: dict[str, Any]) -> Any:
    """Return the value of an option of the type ``raw`` as Ansible takes one with this spec.

    Raises InputError, in Ansible's words.
    """
    validation = ArgumentSpecValidator({option: spec}).validate({option: value})
    if validation.error_messages:
        prefix = "Unsupported parameters: " if validation.unsupported_parameters else ""
        raise InputError(f"{prefix}{validation.error_messages[0]}")
    return validation.validated_parameters[option]


def _listed(value: Any) -> Any:
    """Return the list in a text in JSON, as a survey of AWX gives it: Ansible would split the text at its commas.

    One dictionary is a list of it. Old cores make it of such a text before it comes here.
    """
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(value)
    return [value] if isinstance(value, dict) else value


def _has_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and any(isinstance(item, str) for item in value))


class Spec:
    """What the frames must know of a module: its ``options`` beside those of the connection, and the rules between.

    ``secret_options`` find what is secret in the values of options. ``shown_options`` return what ``invocation`` and
    the system's log show of an option, where that is not its value with its secrets masked. ``parallel_option`` says
    how many connections are used, ``file_option`` names a file of the controller that is read. ``returned_secret`` is
    the member of the result that is a secret and returned on purpose. ``is_timed`` is whether it has ``elapsed``.
    """

    def __init__(
        self,
        required_if: Sequence[Sequence[Any]] = (),
        secret_options: Mapping[str, Finder] | None = None,
        shown_options: Mapping[str, Callable[[Any], Any]] | None = None,
        parallel_option: str | None = None,
        file_option: str | None = None,
        returned_secret: str | None = None,
        is_timed: bool = False,
        **options: dict[str, Any],
    ) -> None:
        self.argument_spec = {**connection_options(), **options}
        self.required_if = list(required_if)
        self.secret_options = secret_options or {}
        self._shown_options = shown_options or {}
        self.parallel_option = parallel_option
        self.file_option = file_option
        self.returned_secret = returned_secret
        self.is_timed = is_timed

    def given(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments without those that are an empty text and no name: that is how AWX leaves one out.

        So do surveys, credentials and variables with nothing in them. A required option stays, to be refused by name.
        """
        return {
            option: _listed(value) if self._holds_dicts(option) else value
            for option, value in arguments.items()
            if value != "" or option in NAMES or self.argument_spec.get(option, {"required": True}).get("required")
        }

    def refusal(self, message: str, arguments: Mapping[str, Any]) -> str:
        """Return Ansible's ``message`` on wrong arguments; on a text that is not a list, with the option's name."""
        if not message.startswith(NOT_DICTS):
            return message
        texts = [option for option, value in arguments.items() if self._holds_dicts(option) and _has_text(value)]
        return (
            (f"{' or '.join(texts)} must be a list of dictionaries (or such a list as a JSON string).")
            if texts
            else message
        )

    def _holds_dicts(self, option: str) -> bool:
        spec = self.argument_spec.get(option, {})
        return spec.get("type") == "list" and spec.get("elements") == "dict"

    def shown(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options as they may be shown, once their secrets are masked."""
        return {
            option: self._shown_options[option](value) if option in self._shown_options and value is not None else value
            for option, value in params.items()
        }
