# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With this folder in PYTHONPATH, the clock of a process goes so many seconds ahead as the file SOAK_CLOCK holds.

What measures durations goes on as it is, as on a machine whose time is set.
"""

from __future__ import annotations

import datetime
import os
import time

_time, _datetime = time.time, datetime.datetime


def _ahead() -> float:
    with open(os.environ["SOAK_CLOCK"], encoding="ascii") as file:
        return float(file.read())


class _Datetime(_datetime):
    """Times of the clock that was set."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> _Datetime:
        """Return the present by that clock."""
        return super().now(tz) + datetime.timedelta(seconds=_ahead())

    def __repr__(self) -> str:
        """Return what Ansible writes into the program that it makes of a module."""
        return super().__repr__().replace(type(self).__name__, "datetime.datetime")


if "SOAK_CLOCK" in os.environ:
    time.time = lambda: _time() + _ahead()
    datetime.datetime = _Datetime  # type: ignore[misc]
