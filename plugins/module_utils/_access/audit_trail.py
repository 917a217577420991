# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The audit trail: a span of time of it, returned or kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from .._client.api import Api
from .._client.errors import AemError, InputError
from .._common.content import read_content
from .._common.file_modes import Access, check_access
from .._common.files import check_place, ensure_copy, scratch_file
from .._common.times import check_moment
from .._run.result import Mode, Result
from .trail_file import clean


def export(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Return the records between ``start`` and ``end``, or make the file ``dest`` hold them (ExportAuditTrail)."""
    now = datetime.now(timezone.utc)
    start = check_moment("start", params["start"], now)
    end = None if params["end"] is None else check_moment("end", params["end"], now)
    if end is not None and end < start:  # in this form, the order of texts is the order of times
        raise InputError(f"end ({end}) is before start ({start}).")
    values: dict[str, Any] = {"start": start, "end": end}
    access = check_access(params)  # without dest, too, for which it has no meaning
    if params["dest"] is not None:
        return _keep(api, params, mode, access, values)
    body = api.export_audit_trail(start, end)
    # Any JSON and any text: the layout is not documented (docs/enterprise_manager_api.md, 6.41).
    trail = read_content(body)
    if trail is None:
        raise _no_text(len(body))
    trail = trail.without_secrets(api.client.masked)
    return Result(values={**values, "format": trail.kind, "content": trail.value})


def _keep(api: Api, params: Mapping[str, Any], mode: Mode, access: Access, values: dict[str, Any]) -> Result:
    """Make the file ``dest`` hold the records, which may be more than the memory does."""
    path = params["dest"]
    check_place("dest", path)
    with scratch_file("dest", path) as cleaned:
        with scratch_file("dest", path) as raw:
            api.export_audit_trail(values["start"], values["end"], raw)
            size = raw.tell()
            raw.seek(0)
            values["format"] = clean(raw, cleaned, api.client)
            if values["format"] is None:
                raise _no_text(size)
        change = ensure_copy("dest", path, cleaned, mode, params["backup"], access)
    values["dest"] = path
    if change.backup:
        values["backup_file"] = change.backup
    return Result(change.changed, values, change.diff, change.warnings)


def _no_text(size: int) -> AemError:
    hint = "Please report it, with the release of Enterprise Manager."
    return AemError(f"The audit trail ({size} bytes) is not UTF-8 text.", hint)
