# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods of change data (partitions and their barriers), and ExportAuditTrail."""

from __future__ import annotations

import datetime
import re
from typing import Any

from ..errors import failure
from ..live import LiveServer, LiveTask
from ..views import Json
from .base import NOTHING, Call, Operation, body_object, unset_or

Found = tuple[LiveServer, LiveTask]

# An ISO 8601 duration of at least one part, like P1M3DT1H2M (docs/enterprise_manager_api.md, 6.39)
_DURATION = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")
_TICKS_BEFORE = datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc)  # .NET counts 100 ns from here


def timestamp(text: str) -> datetime.datetime | None:
    """The moment of a text like 2020-06-30T16:15:00Z."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text, re.ASCII):
        return None
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        return None


def _text_member(call: Call, body: Json, key: str, kind: str) -> str:
    value = body.get(key)
    if not isinstance(value, str):
        raise failure("DESERIALIZE_TO_TYPE", type=kind, message=f"{key} is not a string")
    return value


async def delete_old_change_data(call: Call, found: Found) -> None:
    """DeleteOldChangeData: noted with the earliest barrier (docs/enterprise_manager_api.md, 6.39)."""
    task = found[1]
    kind = "AemDeleteOldChangeDataReq"
    given = _text_member(call, body_object(call, kind), "timestamp_or_offset", kind)
    if timestamp(given) is None and not _DURATION.fullmatch(given):
        raise failure("AEM_INVALID_TIMESTAMP_FORMAT/old change data", message=given)
    task.deleted_change_data.append({"timestamp_or_offset": given, "barrier": min(task.barriers.values(), default="")})
    call.entry.executed = True


async def set_barrier(call: Call, found: Found) -> None:
    """SetChangeDataRetentionBarrier: one for each application (docs/enterprise_manager_api.md, 6.39)."""
    task = found[1]
    kind = "AemSetChangeDataRetentionBarrierReq"
    body = body_object(call, kind)
    application, point = (_text_member(call, body, key, kind) for key in ("application", "retention_point"))
    if not application.strip():
        raise failure("DESERIALIZE_TO_TYPE", type=kind, message="application is empty")
    if not point:
        task.barriers.pop(application, None)
    elif timestamp(point) is None:
        raise failure("AEM_INVALID_TIMESTAMP_FORMAT/barrier")
    else:
        task.barriers[application] = point
    call.entry.executed = True


async def get_barrier(call: Call, found: Found) -> Json:
    """GetChangeDataRetentionBarrier: the earliest, or empty members (docs/enterprise_manager_api.md, 6.40)."""
    call.entry.executed = True
    application, point = min(found[1].barriers.items(), key=lambda item: (item[1], item[0]), default=("", ""))
    return {"application": application, "retention_point": point}


async def export_audit_trail(call: Call, _nothing: None) -> Any:
    """ExportAuditTrail. The layout is not documented: a list of records."""
    start = _moment(unset_or(call.query, "start_timestamp") or "")
    given = unset_or(call.query, "end_timestamp")
    end = _moment(given) if given is not None else None
    if end is not None and end < start:
        raise failure("AEM_EXPORT_INNER_ERR")
    call.entry.executed = True
    return [
        record
        for record in call.world.audit
        if start <= _recorded(record) and (end is None or _recorded(record) <= end)
    ]


def _moment(text: str) -> datetime.datetime:
    """A timestamp or .NET ticks."""
    found = timestamp(text)
    if found is None and re.fullmatch(r"\d{1,19}", text, re.ASCII):
        try:
            found = _TICKS_BEFORE + datetime.timedelta(microseconds=int(text) // 10)
        except OverflowError:
            found = None
    if found is None:
        raise failure("AEM_INVALID_TIMESTAMP_FORMAT/audit trail", message=text)
    return found


def _recorded(record: dict[str, Any]) -> datetime.datetime:
    return datetime.datetime.fromisoformat(str(record["timestamp"]).replace("Z", "+00:00"))


OPERATIONS: dict[str, Operation] = {
    # The roles are assumptions.
    "DeleteOldChangeData": Operation("Operator", "task", delete_old_change_data, replicate_only=True),
    "SetChangeDataRetentionBarrier": Operation("Operator", "task", set_barrier, replicate_only=True),
    "GetChangeDataRetentionBarrier": Operation("Viewer", "task", get_barrier, replicate_only=True),
    "ExportAuditTrail": Operation("Admin", "root", export_audit_trail, NOTHING, variant="/audit trail"),
}
