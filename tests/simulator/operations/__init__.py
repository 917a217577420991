# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods of the API: who may call them, what they check, what they do. Login and Logout are in `server`."""

from __future__ import annotations

from . import acls, change_data, cloning, definitions, endpoints, servers, tables, tasks
from .base import Abandoned, Call, Operation, audit, perform

__all__ = ["OPERATIONS", "Abandoned", "Call", "Operation", "audit", "perform"]

OPERATIONS: dict[str, Operation] = {
    **servers.OPERATIONS,
    **tasks.OPERATIONS,
    **tables.OPERATIONS,
    **endpoints.OPERATIONS,
    **definitions.OPERATIONS,
    **cloning.OPERATIONS,
    **change_data.OPERATIONS,
    **acls.OPERATIONS,
}
