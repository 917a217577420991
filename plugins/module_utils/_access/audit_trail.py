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
from .._common.file_modes import check_access
from .._common.files import check_file, ensure_file
from .._common.times import check_moment
from .._run.result import Mode, Result


def export(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Return the records between ``start`` and ``end``, or make the file ``dest`` hold them (ExportAuditTrail)."""
    now = datetime.now(timezone.utc)
    start = check_moment("start", params["start"], now)
    end = None if params["end"] is None else check_moment("end", params["end"], now)
    if end is not None and end < start:  # in this form, the order of texts is the order of times
        raise InputError(f"end ({end}) is before start ({start}).")
    access = check_access(params)
    if params["dest"] is not None:
        check_file("dest", params["dest"])
    body = api.export_audit_trail(start, end)
    # Any JSON and any text: the layout is not documented (docs/enterprise_manager_api.md, 6.41).
    trail = read_content(body)
    if trail is None:
        hint = "Please report it, with the release of Enterprise Manager."
        raise AemError(f"The audit trail ({len(body)} bytes) is not a text in UTF-8.", hint)
    trail = trail.without_secrets(api.client.masked)
    values: dict[str, Any] = {"start": start, "end": end, "format": trail.kind}
    if params["dest"] is None:
        return Result(values={**values, "content": trail.value})
    change = ensure_file("dest", params["dest"], trail.text, mode, params["backup"], access=access)
    values["dest"] = params["dest"]
    if change.backup:
        values["backup_file"] = change.backup
    return Result(change.changed, values, change.diff, change.warnings)
