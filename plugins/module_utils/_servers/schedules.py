# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The schedules of a Replicate server: without methods of their own, read by ExportAll and set by ImportAll."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from .._client.api import Api, Json
from .._client.checks import check_name, check_text
from .._client.errors import AemError
from .._client.nearest import CASE, did_you_mean
from .._common.missing import missing_names, on_servers, values_of, warnings_of
from .._common.wait import check_waiting
from .._definitions.diff import Leaves
from .._definitions.document import names_in
from .._definitions.importing import Import, ready_to_send
from .._run.result import Mode, Result
from .._run.result import diff as shown_diff
from . import schedule_model as model

CANNOT_REMOVE = "The API cannot remove a schedule"


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Create, change, enable or disable a schedule. Raises AemError."""
    server, name = check_name("server", params["server"]), check_text("name", params["name"])
    check_waiting(params)
    model.check_options(params)
    document = api.export_all(server)
    old = model.find(server, model.jobs_in(server, document), name)
    if old is None and params["state"] == "absent":
        return Result(False, {"schedule": None}, shown_diff({}, {}, name))
    new = model.planned(old, params, server)
    if params["tasks"] is not None:
        _refuse_unknown_tasks(server, model.tasks_of(new), names_in(document, "tasks"))
    before, after = model.brief(old) if old else {}, model.brief(new)
    changed = before != after
    warnings: list[str] = []
    if changed and not mode.check:
        warnings += _send(api, params, model.with_job(document, new), after)
    row, trouble = model.shown(new if changed or old is None else old, _now())
    if params["state"] == "absent":
        did = "it was disabled" if changed else "it is disabled"
        warnings.append(
            f'{CANNOT_REMOVE}: "{name}" on server "{server}" was kept, and {did}. Remove it in the console.'
        )
    elif trouble:
        warnings.append(trouble)
    elif row["enabled"] and row["next_runs"] == []:
        warnings.append(f'The schedule "{name}" will never run again: {row["explained"]}.')
    return Result(changed, {"schedule": row}, shown_diff(before, after, name), warnings)


def _send(api: Api, params: Mapping[str, Any], part: Json, wanted: Json) -> list[str]:
    """Import the jobs and wait until an export shows the one as it is wanted. Raises AemError."""
    server, name = params["server"], params["name"]

    def leaves(row: Json) -> Leaves:
        return {("schedules", name, key): value for key, value in row.items()}

    def read() -> Leaves:
        job = model.find(server, model.jobs_in(server, api.export_all(server)), name)
        return leaves(model.brief(job)) if job else {}

    sending = Import(api, params, read, leaves(wanted))
    subject = f'schedule "{name}" of server "{server}"'
    return sending.send(ready_to_send(api, server, part), subject, lambda whole: api.import_all(server, whole))


def _refuse_unknown_tasks(server: str, names: list[str], there: list[str]) -> None:
    missing = [name for name in names if name not in there and name != model.ALL_TASKS]
    if missing:
        raise AemError(
            f'There is no task "{missing[0]}" on server "{server}": the schedule would do nothing. Nothing was sent.',
            f"{did_you_mean(missing[0], there)} {CASE} Create the task first.".strip(),
        )


def gather(api: Api, params: Mapping[str, Any], _mode: Mode) -> Result:
    """Return the schedules of a server. Raises AemError."""
    server, names = check_name("server", params["server"]), params["name"]
    for name in names or []:
        check_text("name", name)
    jobs = model.jobs_in(server, api.export_all(server))
    rows = [model.shown(job, _now()) for job in jobs if names is None or job["name"] in names]
    missing = missing_names("schedule", names or [], [job["name"] for job in jobs], on_servers([server]))
    return Result(
        values={"schedules": [row for row, _text in rows], **values_of(missing)},
        warnings=warnings_of(missing) + [text for _row, text in rows if text],
    )


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)
