# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A maintenance window: record what runs, stop it, and start exactly that again."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union

from .._client.api import Api
from .._client.errors import AemError, ApiError, InputError, TransportError
from .._common.files import check_file, locked, write_atomically
from .._common.parallel import map_parallel
from .._common.wait import TimedOut, wait_until
from .._run.result import Mode, Result
from .._tasks.model import ACTIVE, KNOWN_STATES, STARTING, Options, Seen
from .._tasks.state import RESUME, check_options
from . import checkpoint as _checkpoint
from .batch import NO_SELECTOR, open_maybe, read_selection, sort_into_waves
from .checkpoint import FREEZING, FROZEN, OPEN, RECORDED, RESTORED, RESTORING, Checkpoint, Kept
from .drain import Care
from .fleet import Fleet, Job, Row, check_care, check_limits, diff, done, raise_failures, values
from .journal import JournaledApi, came_to_end
from .selection import Listed, list_tasks, read_selectors, skip_warnings

NOT_CONNECTED = "AEM_SERVER_NOT_CONNECTED"
RESUMING = {"run_option": "resume_processing", "cdc_position": None, "force": False, "wait": True}
RAN = (*ACTIVE, STARTING)  # STOPPING: somebody else stops it; what is not known is not touched

Look = Union[dict[str, Seen], AemError]  # the tasks of a server by name, or why they cannot be read


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Do one step of a maintenance window. Each may be repeated, also after a crash. Raises AemError with the rows."""
    _check_options(api, params)
    steps = {"recorded": record, "frozen": freeze, "restored": restore}
    with _alone(params["path"], mode):
        return steps[params["state"]](api, params, mode)


def record(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Note which of the selected tasks run. Of a window that is open, what was noted stays as it is."""
    wanted = {key: [_given_members(one) for one in params[key] or []] for key in ("include", "exclude", "waves")}
    waves, limits = read_selectors("waves", params["waves"]), check_limits(params)
    path = params["path"]
    old = _checkpoint.load(path, api.client.address) if path else None
    if old and old.phase in OPEN:
        if old.selection != wanted:
            raise InputError(
                f"The window in {path} is open since {old.recorded} and was recorded for another selection. End it "
                "(state: restored) before you record another one."
            )
        note = f"The window in {path} is open since {old.recorded}: what ran then is kept."
        return Result(values=_recorded(old), diff=_diff_of_records(old, old, mode), warnings=[note])
    selection = read_selection(api, params, limits)
    kept = tuple(
        _keep(task, number)
        for number, wave in enumerate(sort_into_waves(selection.tasks, waves), start=1)
        for task in wave
    )
    new = Checkpoint(api.client.address, _checkpoint.now(), RECORDED, wanted, kept)
    warnings = skip_warnings(selection.skipped)
    warnings += [
        f"{task.server}/{task.name} is {task.state}, of which little is known: it is left alone."
        for task in kept
        if task.state not in KNOWN_STATES
    ]
    if old and old.phase == RECORDED and (old.tasks, old.selection) == (new.tasks, new.selection):
        return Result(values=_recorded(old), diff=_diff_of_records(old, old, mode), warnings=warnings)
    if path and not old and not came_to_end(_journal_of(path), api.client.address, "started"):
        raise InputError(
            f"The checkpoint {path} is gone, but its journal {_journal_of(path)} tells of a window that was not ended. "
            "Start again what it names, then remove it: what is recorded now would take its place."
        )
    if path and not mode.check:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_journal_of(path))  # it tells of the window before
        write_atomically("path", path, new.text())
    return Result(bool(path), _recorded(new), _diff_of_records(old, new, mode), warnings)


def freeze(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Stop what the checkpoint says ran, wave by wave, and make sure that it is stopped."""
    checkpoint = _given(api, params)
    if checkpoint.phase == RESTORED:
        raise InputError(f"The window of {checkpoint.recorded} is over. Record a new one (state: recorded).")
    return _move(api, params, mode, checkpoint, checkpoint.waves, "stopped", (FREEZING, FROZEN), check_care(params))


def restore(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Start exactly what ran, the last wave first. A window that is over is left alone."""
    checkpoint = _given(api, params)
    if checkpoint.phase == RESTORED:
        note = f"The window of {checkpoint.recorded} is over: everything was started again before."
        return Result(values={"checkpoint": checkpoint.document(), **values([])}, warnings=[note])
    waves = checkpoint.waves[::-1]
    return _move(api, params, mode, checkpoint, waves, "started", (RESTORING, RESTORED), Care())


def _move(
    api: Api,
    params: Mapping[str, Any],
    mode: Mode,
    checkpoint: Checkpoint,
    waves: Sequence[Sequence[Kept]],
    state: str,
    phases: tuple[str, str],
    care: Care,
) -> Result:
    """Bring the tasks of the waves to ``state``; ``phases`` are those of the window while and after that."""
    begin = time.monotonic()
    path, limits = params["path"], check_limits(params)
    wanted = check_options({**params, **RESUMING, "server": "*", "name": "*", "state": state})
    looks = _look(api, wanted, checkpoint, limits.parallel, is_patient=state == "started" and not mode.check)
    rows = [row for wave in waves for task in wave if (row := _unreachable(task, looks[task.server]))]
    out_of_reach = {(row.server, row.name) for row in rows}
    jobs = [
        [_job(wanted, task, looks[task.server], begin) for task in wave if task[:2] not in out_of_reach]
        for wave in waves
    ]
    writes = bool(path) and not mode.check
    checkpoint = checkpoint._replace(phase=phases[0])
    if writes:
        write_atomically("path", path, checkpoint.text())
    warnings = _started_meanwhile(checkpoint, looks) if state == "started" else []
    with open_maybe(api, _journal_of(path) if path else None, state, mode) as (known, journal):
        journaled = JournaledApi(api.client, journal) if journal else api
        try:
            rows += Fleet(journaled, mode, limits, care, known, journal).run(jobs, state)
            _explain(rows, state)
            shown = diff(rows) if mode.check or mode.diff else None
            raise_failures(rows, **({"diff": shown} if shown else {}))
        except AemError as failure:
            failure.facts["checkpoint"] = checkpoint.document()
            failure.warnings += warnings
            raise
        if journal:
            with done(rows):
                journal.note("end")
    checkpoint = checkpoint._replace(phase=phases[1])
    if writes:
        with done(rows):
            write_atomically("path", path, checkpoint.text())
    elapsed = round(time.monotonic() - begin, 2)
    outcome = {"checkpoint": checkpoint.document(), **values(rows), "elapsed": elapsed}
    return Result(any(row.changed for row in rows), outcome, shown, warnings)


def _check_options(api: Api, params: Mapping[str, Any]) -> None:
    """Raise InputError for what can be seen to be wrong, before anything is locked or sent."""
    has_path, has_document = bool(params["path"]), params["checkpoint"] is not None
    if params["state"] == "recorded" and has_document:
        raise InputError("state: recorded makes a checkpoint and takes none.")
    if params["state"] != "recorded" and has_path == has_document:
        raise InputError(f"state: {params['state']} needs either path or checkpoint.")
    if has_path:
        check_file("path", params["path"])
    if params["state"] == "recorded":
        for option in ("include", "exclude", "waves"):
            read_selectors(option, params[option])
        if not params["include"]:
            raise InputError(NO_SELECTOR)
        if has_path:
            _checkpoint.load(params["path"], api.client.address)
    else:
        _given(api, params)
    check_limits(params)
    check_care(params)
    check_options({**params, **RESUMING, "server": "*", "name": "*", "state": "started"})


@contextlib.contextmanager
def _alone(path: str | None, mode: Mode) -> Iterator[None]:
    """Keep a second run off the same checkpoint."""
    if path and not mode.check:
        with locked("path", path):
            yield
    else:
        yield


def _given(api: Api, params: Mapping[str, Any]) -> Checkpoint:
    """Return the checkpoint of a file or an option."""
    if params["checkpoint"] is not None:
        return _checkpoint.read_document(params["checkpoint"], api.client.address, "option checkpoint")
    found = _checkpoint.load(params["path"], api.client.address)
    if found:
        return found
    journal = _journal_of(params["path"])
    if came_to_end(journal, api.client.address, "started"):
        raise InputError(f"There is no checkpoint {params['path']}. Record one first (state: recorded).")
    raise InputError(
        f"The checkpoint {params['path']} is gone. Its journal {journal} names each task that was stopped: start these "
        "with aem_task_batch. Do not record another window before that."
    )


def _given_members(selector: Mapping[str, Any]) -> dict[str, Any]:
    """Return a selector without what was not given, so that one that means the same is the same."""
    return {key: value for key, value in selector.items() if value}


def _journal_of(path: str) -> str:
    return f"{path}.journal"


def _keep(task: Listed, wave: int) -> Kept:
    state = task.seen.state
    return Kept(task.server, task.name, state, RESUME.lower() if state in RAN else None, wave)


def _recorded(checkpoint: Checkpoint) -> dict[str, Any]:
    ran = [task for task in checkpoint.tasks if task.run_option]
    counts = {"selected": len(checkpoint.tasks), "running": len(ran)}
    return {"checkpoint": checkpoint.document(), "counts": counts}


def _diff_of_records(old: Checkpoint | None, new: Checkpoint, mode: Mode) -> dict[str, Any] | None:
    if not (mode.check or mode.diff):
        return None

    def shown(one: Checkpoint | None) -> dict[str, str]:
        return {f"{task.server}/{task.name}": task.state for task in (one.tasks if one else ())}

    return {"before": shown(old), "after": shown(new), "before_header": "checkpoint", "after_header": "checkpoint"}


def _look(api: Api, options: Options, checkpoint: Checkpoint, parallel: int, is_patient: bool) -> dict[str, Look]:
    """Return how the tasks are now, by server. If ``is_patient``, a server that is not connected yet is waited for."""
    servers = list(dict.fromkeys(task.server for task in checkpoint.tasks))

    def read(server: str) -> Look:
        try:
            return {task.name: task.seen for task in list_tasks(api, server)}
        except ApiError as error:
            return error

    def is_connected(look: Look) -> bool:
        return not (isinstance(look, ApiError) and look.error_code == NOT_CONNECTED)

    def look(server: str) -> Look:
        limit = options.wait_timeout if is_patient else 0
        try:
            return wait_until(lambda: read(server), is_connected, limit, options.wait_sleep, api.client.stop.pause)
        except TimedOut as over:
            return over.last or over.trouble or TransportError(f'Server "{server}" cannot be read.')
        except TransportError as error:
            return error

    at_a_time = functools.partial(map_parallel, parallel=parallel, abandon=api.client.stop.abandon)
    return dict(zip(servers, at_a_time(look, servers)))


def _unreachable(task: Kept, look: Look) -> Row | None:
    """Return the row of a task that cannot be moved: its server cannot be read, or it is gone."""
    if isinstance(look, AemError):
        row = Row(task.server, task.name, "UNKNOWN", "UNKNOWN", failed=True, msg=look.message, hint=look.hint)
        row.error_code = look.facts.get("error_code")
        return row
    if task.name not in look:
        gone = "It was deleted since the window began: nothing to do."
        return Row(task.server, task.name, "NOT_EXIST", "NOT_EXIST", skipped=True, elapsed=0.0, msg=gone)
    return None


def _job(wanted: Options, task: Kept, look: Look, as_of: float) -> Job:
    option = (task.run_option or RESUME).upper()
    seen = look[task.name] if isinstance(look, dict) else Seen(task.state)
    # One that was retrying when the window began need not come further than that.
    wait = wanted.state == "stopped" or task.state != "RECOVERY"
    return Job(wanted._replace(server=task.server, name=task.name, run_option=option, wait=wait), seen, as_of)


def _started_meanwhile(checkpoint: Checkpoint, looks: Mapping[str, Look]) -> list[str]:
    """Return a note for each task that did not run when the window began and runs now."""
    notes = []
    for task in checkpoint.tasks:
        look = looks[task.server]
        seen = look.get(task.name) if isinstance(look, dict) else None
        if seen and not task.run_option and seen.state in RAN:
            notes.append(
                f"{task.server}/{task.name} was {task.state} when the window began and is {seen.state} now: it is left "
                "so."
            )
    return notes


def _explain(rows: Sequence[Row], state: str) -> None:
    """Say of each task that needed nothing why that is so, if it is not what a window expects."""
    for row in rows:
        if state != "started" or row.changed or row.failed or row.skipped:
            continue
        if row.before in RAN:
            row.msg = f"It was {row.before} already."
        elif row.after == row.before:
            row.msg = f"It is {row.after} because its work is done: it is left so."
