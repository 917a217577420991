# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two generations of the vendor's SDK, each with its habits (docs/enterprise_manager_api.md, 4.4, 10.2)."""

from __future__ import annotations

import enum
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import requests
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import PREFIX, basic, context

OPERATOR = ("operator@corp.example", "operator-test-password")


class Refused(Exception):
    """A failure of the API, by its code."""


class Sdk2018:
    """urllib, GET login, every name encoded twice, slash before most queries, four task states."""

    State = enum.Enum("State", ["STOPPED", "RUNNING", "ERROR", "RECOVERY"])

    def __init__(self, em: Handle, login: tuple[str, str] = OPERATOR) -> None:
        self.base = f"{em.url}{PREFIX}"
        self.context: ssl.SSLContext = context(em)
        self.kept: dict[str, str] = {}
        request = urllib.request.Request(f"{self.base}/login", headers={"Authorization": basic(*login)})
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, context=self.context) as answer:
            # It sends every header of this answer with each later request.
            self.kept = {key: value for key, value in answer.headers.items() if key != "Content-Length"}

    @staticmethod
    def name(text: str) -> str:
        """Encoded twice, "/" left alone."""
        return urllib.parse.quote(urllib.parse.quote(text))

    def ask(self, method: str, address: str, body: Any = None) -> Any:
        """Any error body must be JSON with `error_code`."""
        data = None if body is None else json.dumps(body, sort_keys=True).encode()
        headers = {**self.kept, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.base}/{address}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self.context) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise Refused(json.loads(error.read())["error_code"]) from error

    def run(self, server: str, task: str, option: str) -> str:
        """Always with a body, the option and the timeout; a slash before the query."""
        query = f"?action=run&option={self.name(option)}&timeout={self.name('30')}"
        body = {"$type": "AemRunTaskReq", "cdcposition": None}
        answer = self.ask("POST", f"servers/{self.name(server)}/tasks/{self.name(task)}/{query}", body)
        return self.State[answer["state"]].name

    def stop(self, server: str, task: str) -> str:
        """No slash here."""
        address = f"servers/{self.name(server)}/tasks/{self.name(task)}?action=stop&timeout=30"
        return self.State[self.ask("POST", address)["state"]].name


class Sdk2021:
    """requests, POST login as a form, names encoded once, eight task states."""

    State = enum.Enum("State", "NOT_EXIST RUNNING ERROR STOPPED PAUSED RECOVERY STARTING STOPPING")

    def __init__(self, em: Handle, saml: str | None = None, login: tuple[str, str] = OPERATOR) -> None:
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = em.ca_path
        self.base = f"{em.url}{PREFIX}"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if saml is None:
            headers["Authorization"] = basic(*login)
        body = None if saml is None else f"RelayState=&SAMLResponse={urllib.parse.quote(saml, safe='')}"
        answer = self.http.post(f"{self.base}/login", data=body, headers=headers)
        answer.raise_for_status()
        self.http.headers.update({key: value for key, value in answer.headers.items() if key != "Content-Length"})
        self.http.headers["Content-Type"] = "application/json"

    def ask(self, method: str, address: str, body: Any = None) -> Any:
        """Failures by their code."""
        request = self.http.prepare_request(requests.Request(method, f"{self.base}/{address}", json=body))
        if method == "DELETE":
            del request.headers["Content-Length"]
        answer = self.http.send(request)
        result = answer.json() if answer.content else None
        if not answer.ok:
            raise Refused(result["error_code"])
        return result
