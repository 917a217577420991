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
from .._client.redaction import redacted
from .._common.files import check_file, ensure_file
from .._run.result import Mode, Result
from . import diff as definition_diff
from . import objects
from .document import PLACEHOLDER, count_redacted, names_in, read_definition, stable_text, without_secrets


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Make the file ``dest`` hold the definition, unless what it holds means the same.

    Raises AemError; the old file stays then.
    """
    server, name, dest = check_name("server", params["server"]), params["name"], params["dest"]
    if name is not None:
        check_name("name", name)
    check_file("dest", dest)
    kinds = objects.CHOICES if name else objects.asked(params["objects"])
    document = api.export_task(server, name, params["with_endpoints"]) if name else api.export_all(server)
    beyond, document = objects.beyond(document, kinds), objects.part(document, kinds)
    if params["secrets"] == "redact":
        document = without_secrets(document)
    text = stable_text(read_definition("The export", document), name or server)
    change = ensure_file("dest", dest, text, mode, params["backup"], _is_same)
    values: dict[str, Any] = {
        "dest": dest,
        "tasks": sorted(names_in(document, "tasks")),
        "endpoints": sorted(names_in(document, "databases")),
        "not_exported": beyond,
    }
    if change.backup:
        values["backup_file"] = change.backup
    diff = change.diff and {**change.diff, **{side: _shown(change.diff[side]) for side in ("before", "after")}}
    return Result(change.changed, values, diff)


def _read(text: str) -> Json | None:
    try:
        return read_definition("dest", text)
    except InputError:
        return None


def _is_same(old: str, new: str) -> bool:
    """Return whether two texts hold the same definition, the secrets redacted in both or in neither."""
    before, after = _read(old), _read(new)
    if before is None or after is None:
        return False
    return definition_diff.is_same(before, after) and count_redacted(before) == count_redacted(after)


def _shown(text: str) -> str:
    """Return the text of a file as a diff shows it: without secrets, redacted or not."""
    if not text:
        return ""
    document = _read(text)
    if document is None:
        return "(something that is not a replication definition)\n"
    shown = redacted(document, lambda secret: secret if secret == PLACEHOLDER else definition_diff.SECRET)
    return stable_text(shown, str(document.get("name")))
