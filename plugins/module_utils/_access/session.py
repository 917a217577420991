# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""An API session that several tasks share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._client.api import Api
from .._client.errors import INVALID_SESSION_ID, UNAUTHORIZED_REQUEST, ApiError, InputError
from .._run.result import Mode, Result


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Open a session and return its id (``state: present``), or end the one in ``session_id`` (``absent``).

    Neither changes anything of the user's: ``changed`` is always false, and check mode does the same, or the tasks
    between could not be checked.
    """
    client = api.client
    if params["state"] == "present":
        if client.is_passed_in:
            # No method asks after a session. This one answers for a live one, if only that the user may not see
            # servers.
            api.get_server_list(accept=(UNAUTHORIZED_REQUEST,))
        return Result(secrets={"session_id": client.detach()})
    if not client.is_passed_in:
        raise InputError("state: absent needs session_id (or QLIK_EM_SESSION_ID): the session to end.")
    try:
        client.end_session()
    except ApiError as error:
        if error.error_code != INVALID_SESSION_ID:
            raise
    return Result()
