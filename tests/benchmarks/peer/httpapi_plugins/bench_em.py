# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enterprise Manager by the recipe for network devices: a connection of httpapi that stays logged in."""

from __future__ import annotations

import base64
import json
from typing import Any

from ansible.module_utils.connection import ConnectionError as NoAnswer
from ansible.plugins.httpapi import HttpApiBase

SESSION = "EnterpriseManager.APISessionID"
API = "/attunityenterprisemanager/api/v1"

DOCUMENTATION = """
name: bench_em
short_description: Enterprise Manager over httpapi
description: What people write who follow the recipe for network devices. For comparison only.
"""


class HttpApi(HttpApiBase):
    """Logs in once for a connection, which the tasks of a play share."""

    def login(self, username: str, password: str) -> None:
        """Log in; what the connection adds to each later request is the id of the session."""
        credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
        answer, _body = self.connection.send(f"{API}/login", None, headers={"Authorization": f"Basic {credentials}"})
        self.connection._auth = {SESSION: answer.headers[SESSION]}

    def logout(self) -> None:
        """Log out."""
        self.connection.send(f"{API}/logout", None)

    def send_request(self, data: Any, **message_kwargs: Any) -> Any:
        """Send a POST and return what the JSON of the answer holds."""
        answer, body = self.connection.send(f"{API}{message_kwargs['path']}", data or "", method="POST")
        if answer.code != 200:
            raise NoAnswer(body.getvalue().decode(), code=answer.code)
        return json.loads(body.getvalue())
