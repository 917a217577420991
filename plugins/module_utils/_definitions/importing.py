# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Importing a definition into a server: where it comes from, what it would change, and waiting until it shows."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from .._client.api import Api, Json
from .._client.checks import USER_MEMBER, check_characters, check_secret
from .._client.errors import AemError, InputError, WaitError
from .._common.files import read_file
from .._common.lost_answers import confirm_lost_write
from .._common.wait import TimedOut, check_waiting, wait_until
from . import diff as definition_diff
from .diff import Change, Comparison, Leaves
from .document import LIMIT, read_definition, task_definition, too_large, with_version
from .model import KINDS, Rules, Where, is_secret_place, name, names, rules_in, secrets_of, texts, unknown_secrets


def secrets_in_option(definition: Any, params: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is secret in the option ``definition``; of what is not a definition nothing is shown anyway."""
    with contextlib.suppress(InputError):
        document, rules = read_definition("definition", definition), rules_in(params)
        yield from secrets_of(document, rules)
        if "name" in params:  # of the task, which a place begins with
            document, _unused = task_definition("definition", document, params["name"])
            yield from secrets_of(document, rules)


def given_definition(api: Api, params: Mapping[str, Any]) -> tuple[str, Json]:
    """Return how messages call the definition that the options give, and the definition. Raises InputError."""
    definition, src = params["definition"], params["src"]
    if (definition is None) == (src is None):
        raise InputError("Give either definition or src" + (", not both." if src is not None else "."))
    if src is None:
        label, document = "definition", read_definition("definition", definition)
    else:
        label = f"src ({src})"
        document = read_definition(label, _text("src", src, label))
    return label, document


def hide_secrets(api: Api, label: str, document: Json, params: Mapping[str, Any]) -> Rules:
    """Hide the secrets of a definition in all that comes out, and return what the user says of it.

    Raises InputError if ``secrets`` names a place that is not there: nothing there would be hidden. Also for a control
    character in a name, a user or a secret; the message calls the definition ``label``.
    """
    rules = rules_in(params)
    api.client.hide(secrets_of(document, rules))
    for where, text in texts(document):
        if is_secret_place(where, rules):
            check_secret(f"{label}: {name(where)}", text)
        elif where[1:2] and where[0] in KINDS and _is_name_or_user(where):
            check_characters(f"{label}: {name(where)}", text)
    unknown = unknown_secrets(document, rules)
    if unknown:
        raise InputError(
            f"secrets: the definition has no member at {unknown[0]}.",
            "Write places as diffs and not_removed show them, such as databases/Shop/db_settings/code; * matches any "
            "text.",
        )
    return rules


def _is_name_or_user(where: Where) -> bool:
    """Return whether the name of an object, or a user, stands at a place in a task or an endpoint."""
    if where[0] == "databases":
        return where[2:] == ("name",) or bool(USER_MEMBER.search(str(where[-1])))
    return where[2:3] == ("task",) and where[3] in ("name", "source_name", "target_names")


def _text(option: str, path: str, label: str) -> str:
    try:
        size = os.stat(path).st_size
    except (OSError, ValueError):
        size = 0  # the reading says why
    if size > LIMIT:
        raise InputError(too_large(label))
    text = read_file(option, path)
    if text is None:
        raise InputError(f"{label} cannot be read: No such file or directory.")
    return text


def ready_to_send(api: Api, server: str, document: Json) -> Json:
    """Return the definition as it is imported; a missing ``_version`` is the server's (GetServerDetails)."""
    if document.get("_version"):
        return document
    return with_version(document, str(api.get_server_details(server).get("version") or ""))


class Import:
    """A definition on its way into a server; ``read`` exports what is there (empty: nothing yet).

    ``is_visible`` is whether the export differs from what is ``wanted`` until the import is done.
    """

    def __init__(
        self,
        api: Api,
        params: Mapping[str, Any],
        read: Callable[[], Leaves],
        wanted: Leaves,
        is_visible: bool = True,
    ) -> None:
        self._api = api
        self._waiting = check_waiting(params)
        self._read = read
        self._wanted = wanted
        self._is_visible = is_visible

    def send(self, document: Json, subject: str, call: Callable[[Json], None]) -> list[str]:
        """Import ``document``, ready to send, by ``call`` and wait until an export shows it.

        Returns what the caller should know.
        Raises AemError; its ``changed`` is true if the import may have taken effect.
        """
        with self._api.client.writes.guard():
            return self._send(document, subject, call)

    def _send(self, document: Json, subject: str, call: Callable[[Json], None]) -> list[str]:
        patience = min(self._waiting.timeout, self._api.client.limits.lost_effect)
        with confirm_lost_write(lambda: self._is_done(patience)):
            call(document)
        remaining = self._wait(self._waiting.timeout)
        if not remaining:
            return []
        if definition_diff.may_be_defaults(remaining):
            return [
                f"The export of the {subject} does not show these settings of the definition after the import, "
                f"probably because they have their default values: {names(remaining)}. Leave them out of the "
                "definition; otherwise it is imported again each time."
            ]
        raise WaitError(
            f"The import into the {subject} was accepted, but its export does not show all of it after "
            f"{self._waiting.timeout:g} s (wait_timeout): {names(remaining)}.",
            "Raise wait_timeout, or look at the object in the console.",
        )

    def _is_done(self, limit: float) -> bool:
        if not self._is_visible:
            raise AemError("the definition was the same before (force_import), so the import cannot be seen in it.")
        return not self._wait(limit)

    def _wait(self, limit: float) -> dict[Where, Change]:
        """Return what the export still does not show after ``limit`` seconds: nothing, if all went well."""
        begin = time.monotonic()

        def is_done(remaining: dict[Where, Change]) -> bool:
            waited = time.monotonic() - begin
            return not remaining or (
                waited >= self._api.client.limits.defaults_after and definition_diff.may_be_defaults(remaining)
            )

        try:
            return wait_until(
                self._api,
                lambda: definition_diff.changes(self._read(), self._wanted),
                is_done,
                limit,
                self._waiting.sleep,
            )
        except TimedOut as over:
            if over.last is None or over.trouble:
                raise (over.trouble or WaitError("The definition could not be exported.")) from over
            return over.last


def warnings_about(comparison: Comparison, always: bool, new_endpoints: Collection[str]) -> list[str]:
    """Return what the caller should know: what a merge does not remove, and which secrets are not sent."""
    warnings = []
    if comparison.remaining:
        warnings.append(
            "An import merges, so it cannot remove what the definition leaves out. These stay: "
            f"{names(comparison.remaining)}."
        )
    if comparison.uncompared and not always:
        warnings.append(
            "These secrets cannot be compared with the encrypted ones on the server and are not sent: "
            f"{names(comparison.uncompared)}. Set update_password: always to send them each time."
        )
    missing = [where for where in comparison.redacted if where[0] != "databases" or where[1] in new_endpoints]
    if missing:
        warnings.append(
            "These secrets are redacted in the definition, so new objects are created without them: "
            f"{names(missing)}. Set them."
        )
    kept = [where for where in comparison.redacted if where not in missing]
    if kept and comparison.changes:
        warnings.append(
            f"These secrets are redacted in the definition and stay unchanged on the server: {names(kept)}."
        )
    return warnings
