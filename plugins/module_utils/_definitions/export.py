# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The definition of a task or of a whole server in a file (ExportTask, ExportAll)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._client.api import Api, Json
from .._client.checks import check_name
from .._client.errors import InputError
from .._common.file_modes import check_access
from .._common.files import check_file, ensure_file
from .._run.result import Mode, Result
from . import diff as definition_diff
from . import objects
from .document import names_in, read_definition, stable_text
from .model import (
    PLACEHOLDER,
    Rules,
    cover_secrets,
    names,
    redacted_places,
    rules_in,
    unknown_secrets,
    without_counted,
)

REDACT, KEEP = "redact", "keep"


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Make the file ``dest`` hold the definition, unless what it holds means the same.

    Raises AemError; the old file stays then.
    """
    server, name, dest = check_name("server", params["server"]), params["name"], params["dest"]
    if name is not None:
        check_name("name", name)
    is_kept, rules = _secrets(params)
    access = check_access(params, "secrets: keep" if is_kept else "")
    check_file("dest", dest)
    kinds = objects.CHOICES if name else objects.asked(params["objects"])
    whole = api.export_task(server, name, params["with_endpoints"]) if name else api.export_all(server)
    beyond, document = objects.beyond(whole, kinds), objects.part(whole, kinds)
    document = without_counted(document, rules.with_loggers)
    warnings = [f"secrets: the export has no member at {place}." for place in unknown_secrets(document, rules)]
    if not is_kept:
        document = cover_secrets(document, rules, lambda _secret: PLACEHOLDER)
        redacted = redacted_places(document)
        if redacted:
            warnings.append(f"These secrets are redacted in {dest}: {names(redacted)}.")
    text = stable_text(read_definition("The export", document), name or server)
    change = ensure_file(
        "dest", dest, text, mode, params["backup"], _is_same, access, lambda shown: _shown(shown, rules)
    )
    values: dict[str, Any] = {
        "dest": dest,
        "tasks": sorted(names_in(document, "tasks")),
        "endpoints": sorted(names_in(document, "databases")),
        "not_exported": beyond,
    }
    if change.backup:
        values["backup_file"] = change.backup
    return Result(change.changed, values, change.diff, warnings + change.warnings)


def _secrets(params: Mapping[str, Any]) -> tuple[bool, Rules]:
    """Return whether secrets are kept, and what the user says of the definition; raise InputError."""
    given = params["secrets"]
    if KEEP in given and given != [KEEP]:
        raise InputError("secrets: keep keeps all secrets, so it cannot be combined with other values.")
    places = tuple(place for place in given if place not in (KEEP, REDACT))
    return given == [KEEP], rules_in(params)._replace(secrets=places)


def _read(text: str) -> Json | None:
    try:
        return read_definition("dest", text)
    except InputError:
        return None


def _is_same(old: str, new: str) -> bool:
    """Return whether two texts hold the same definition, the secrets redacted in both or in neither."""
    before, after = _read(old), _read(new)
    return before is not None and after is not None and definition_diff.is_same(before, after)


def _shown(text: str, rules: Rules) -> str:
    """Return the text of a file as a diff shows it: without secrets, redacted or not."""
    if not text:
        return ""
    document = _read(text)
    if document is None:
        return "(something that is not a replication definition)\n"
    shown = cover_secrets(document, rules, lambda secret: secret if secret == PLACEHOLDER else definition_diff.SECRET)
    return stable_text(shown, str(document.get("name")))
