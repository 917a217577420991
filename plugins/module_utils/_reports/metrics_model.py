# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What the tables of metrics consist of: each metric with its alerts and with its panels of a dashboard."""

from __future__ import annotations

from typing import NamedTuple

from .metrics_values import Read

GAUGE, COUNTER = "gauge", "counter"
CRITICAL, WARNING = "critical", "warning"
# The units and kinds of panels, as Grafana names them.
SECONDS, PER_SECOND, BYTES, RATIO, COUNT = "s", "ops", "bytes", "percentunit", "short"
STAT, TIME_SERIES, TABLE = "stat", "timeseries", "table"
OF_SERVER = 'em=~"$em",server=~"$server"'
OF_TASK = f'{OF_SERVER},task=~"$task"'


class Alert(NamedTuple):
    """An alert, named in the console of Prometheus, with what somebody is to do who is woken by it."""

    name: str
    expr: str
    pending: str
    severity: str
    summary: str
    todo: str


class Panel(NamedTuple):
    """A panel of the dashboard; ``legend`` is how its series are called."""

    title: str
    kind: str
    unit: str
    expr: str
    legend: str = ""


class Metric(NamedTuple):
    """A metric. ``labels`` are those that not all samples of its subject have, ``source`` is where the API shows it."""

    name: str
    kind: str
    meaning: str
    read: Read
    source: str = ""
    labels: tuple[str, ...] = ()
    alerts: tuple[Alert, ...] = ()
    panels: tuple[Panel, ...] = ()


ON_SERVER = "{{ $labels.server }}"
TASK = "{{ $labels.server }}/{{ $labels.task }}"
