# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Metrics as the text format of Prometheus (0.0.4), which node_exporter reads from files. Pure functions.

Not OpenMetrics: node_exporter takes neither its types (info, stateset) nor its closing line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .metrics_model import COUNTER, Metric
from .metrics_of_servers import OF_SCRAPE, OF_SERVERS
from .metrics_of_tasks import OF_DETAILS, OF_TASKS
from .metrics_values import Scrape, Server, Task, number

_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def metrics_lines(em: str, scrape: Scrape, servers: Iterable[Server], tasks: Iterable[Task]) -> Iterator[str]:
    """Yield the lines of all metrics, without those that have no sample. ``em`` is the installation that they are of.

    No sample is there twice, or node_exporter would serve nothing at all: of a server or a task that is listed twice
    the last counts, and the files of two installations can lie in one folder.
    """
    by_server = {labels(em=em, server=one.name): one for one in servers}
    by_task = {labels(em=em, server=one.server, task=one.name): one for one in tasks}
    groups: tuple[tuple[Sequence[Metric], Mapping[str, Any]], ...] = (
        (OF_SCRAPE, {labels(em=em): scrape}),
        (OF_SERVERS, by_server),
        (OF_TASKS, by_task),
        (OF_DETAILS, {key: task for key, task in by_task.items() if task.details}),
    )
    for metrics, subjects in groups:
        for metric in metrics:
            yield from _family(metric, subjects)


def labels(**values: str) -> str:
    """Return labels as they stand between the braces."""
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in values.items())


def _escaped(value: str) -> str:
    """Return the value of a label; half of a pair of surrogates, which no file can hold, stands there spelled out."""
    return value.encode("utf-8", "backslashreplace").decode().translate(_ESCAPED)


def _family(metric: Metric, subjects: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a metric, none if there is no sample."""
    is_begun = False
    for common, subject in subjects.items():
        for further, value in metric.read(subject):
            known = number(value)
            if known is None or (metric.kind == COUNTER and known < 0):  # a counter cannot be
                continue
            if not is_begun:
                is_begun = True
                yield f"# HELP {metric.name} {metric.meaning}\n# TYPE {metric.name} {metric.kind}\n"
            own = f",{labels(**dict(zip(metric.labels, further)))}" if further else ""
            yield f"{metric.name}{{{common}{own}}} {_spelled(known)}\n"


def _spelled(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 6))
