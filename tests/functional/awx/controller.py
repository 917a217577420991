# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for the REST API of AWX: any resource, by name or id, and its associations. Writes are recorded."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Item = dict[str, Any]
PREFIX = "/api/v2/"
JOB_TEMPLATES = ("job_templates", "workflow_job_templates", "projects", "inventory_sources")
WEBHOOK = {"http_method": "POST", "headers": {}, "username": "", "password": "", "disable_ssl_verification": False}
# What AWX fills in where nothing, or null, is given
DEFAULTS: dict[str, Item] = {
    "inventories": {"kind": "", "host_filter": None},
    "projects": {"scm_revision": "1234abcd"},
    "workflow_job_template_nodes": {"unified_job_template": None},
}


class Awx:
    """All objects by their paths, and what was written since ``forget``."""

    def __init__(self) -> None:
        self.items: dict[str, list[Item]] = {}
        self.related: dict[str, Any] = {}  # surveys, and lists of ids
        self.writes: list[tuple[str, str, Any]] = []
        self.last_id = 0
        self.create("organizations", {"name": "Default"})

    def create(self, kind: str, values: Item) -> Item:
        """Make an object of this kind as AWX does, with an id and the addresses of what belongs to it."""
        self.last_id += 1
        url = f"{PREFIX}{kind}/{self.last_id}/"
        own = {"id": self.last_id, "url": url, "type": kind.removesuffix("s"), "summary_fields": {}}
        filled = {name: value for name, value in DEFAULTS.get(kind, {}).items() if values.get(name) is None}
        item = {**values, **filled, **own, "related": {"survey_spec": f"{url}survey_spec/"}}
        if kind == "notification_templates":
            item["notification_configuration"] = WEBHOOK | item["notification_configuration"]
        self.items.setdefault(kind, []).append(item)
        return item

    def find(self, kind: str, number: int) -> Item:
        """Return an object by its id; raise StopIteration if there is none."""
        return next(item for item in self.items.get(kind, []) if item["id"] == number)

    def get(self, path: str, query: dict[str, str]) -> Any:
        """Answer a GET."""
        kind, number, part = split(path)
        if kind == "unified_job_templates":
            return page([item for each in JOB_TEMPLATES for item in self.items.get(each, []) if matches(item, query)])
        if number is None:
            return page([item for item in self.items.get(kind, []) if matches(item, query)])
        if not part:
            return self.find(kind, number)
        if part == "survey_spec":
            return self.related.get(path, {})
        return page([{"id": found} for found in self.related.get(path, [])])

    def write(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Do a POST, PATCH or DELETE; return the status and the answer."""
        self.writes.append((method, path, body))
        kind, number, part = split(path)
        if number is None:
            return 201, self.create(kind, body)
        item = self.find(kind, number)
        if method == "PATCH":
            item |= body
            return 200, item
        if method == "DELETE":
            self.items[kind].remove(item)
            return 204, None
        if part == "survey_spec":
            self.related[path] = body
            return 200, {}
        if part == "create_approval_template":
            approval = self.create("workflow_approval_templates", body)
            item["unified_job_template"] = approval["id"]
            item["related"]["unified_job_template"] = approval["url"]
            return 201, approval
        ids = self.related.setdefault(path, [])
        ids.remove(body["id"]) if body.get("disassociate") else ids.append(body["id"])
        return 204, None

    def named(self, kind: str, name: str) -> Item:
        """Return an object by its name or identifier; raise StopIteration if there is none."""
        return next(item for item in self.items[kind] if name in (item.get("name"), item.get("identifier")))

    def linked(self, kind: str, name: str, part: str) -> list[int]:
        """Return the ids that an object is associated with."""
        return self.related.get(f"{self.named(kind, name)['url']}{part}/", [])


def split(path: str) -> tuple[str, int | None, str]:
    """Return the kind, the id and the rest of a path; raise LookupError if it is not one of AWX."""
    found = re.fullmatch(rf"{PREFIX}(\w+)/(?:(\d+)/(?:(\w+)/)?)?", path)
    if not found:
        raise LookupError(path)
    return found[1], int(found[2]) if found[2] else None, found[3] or ""


def matches(item: Item, query: dict[str, str]) -> bool:
    """Whether an object is what a query asks for."""
    return all(str(item.get(field)) == value for field, value in query.items() if value != "None")


def page(items: list[Item]) -> Item:
    """Return a list as AWX sends it."""
    return {"count": len(items), "next": None, "results": items}


@contextlib.contextmanager
def serving() -> Iterator[tuple[Awx, str]]:
    """Serve on this machine's loopback address; yields what it knows, and its address."""
    awx = Awx()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            url = urlsplit(self.path)
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
            try:
                if self.command == "GET":
                    status, found = 200, awx.get(url.path, dict(parse_qsl(url.query)))
                else:
                    status, found = awx.write(self.command, url.path, body)
            except (LookupError, StopIteration):
                status, found = 404, {"detail": "Not found."}
            content = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = answer

        def log_message(self, *arguments: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield awx, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
