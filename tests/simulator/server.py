# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTPS side: connections, the life of one request, and the stand-in as a whole."""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from . import answers, certificates, control, credentials, document, faults, mishaps, operations, routing
from .answers import Answer
from .checks import InputError
from .connections import Connection, Listener, Server
from .document_access import ROLES
from .errors import ApiError, failure
from .operations import Abandoned
from .record import Entry, Record
from .world import World

MOST_BODY = 256 * 1024 * 1024  # bytes of a request body


@dataclass
class Settings:
    """How to start. Overrides that are None leave the state document's own option as it is."""

    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    state: str | Path | dict[str, Any] | None = None  # a file or the document itself; None is the built-in one
    faults: str | Path | list[Any] | None = None
    idle_seconds: float | None = None
    show_transient: bool | None = None
    task_stop_reason: bool | None = None
    server_details_key: str | None = None
    certificate: str = "good"  # or expired, wrong_name, unknown_ca
    client_cert: bool = False  # clients must show a certificate
    tls_dir: str | Path | None = None  # None is a temporary one that is removed at the end

    def __post_init__(self) -> None:
        if self.host != "localhost" and not ipaddress.ip_address(self.host).is_loopback:
            raise InputError(f"host must be a loopback address, not {self.host}: this server is not for a network")

    def overrides(self) -> dict[str, Any]:
        """The members of the document's options that were given at the start."""
        given = {
            "session_idle_seconds": self.idle_seconds,
            "show_transient": self.show_transient,
            "task_stop_reason": self.task_stop_reason,
            "server_details_key": self.server_details_key,
        }
        return {key: value for key, value in given.items() if value is not None}


class Simulator:
    """A stand-in Enterprise Manager with its control address. Lives on one event loop; nothing here is locked."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Callable[[], float] = time.monotonic
        self.record = Record()
        self.plan: list[faults.Rule] = []
        self._initial: Any = _read(settings.state) if settings.state else _default()
        self._initial_faults = _read(settings.faults) if settings.faults else []
        self.add_faults(self._initial_faults)
        self.world = self._build(None)
        self.stopped = asyncio.Event()
        self.calls = 0  # those that are worked on
        self.under_way = 0  # requests that are not answered yet, those of the last world included
        self._temporary: Path | None = None
        self._counted_before = (0, 0)  # connections and handshakes before the last reset

    # Life

    async def start(self) -> None:
        """Make the certificates and listen."""
        directory = self.settings.tls_dir and Path(self.settings.tls_dir)
        if not directory:
            directory = self._temporary = Path(tempfile.mkdtemp(prefix="qlik-em-"))
        try:
            self.tls = certificates.make(directory, self.settings.certificate, self.settings.client_cert)
            self._server = Server(self._handle, request_factory=self._make_request, access_log=None)
            host = "127.0.0.1" if self.settings.host == "localhost" else self.settings.host
            self._listener = Listener(socket.AF_INET6 if ":" in host else socket.AF_INET)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((host, self.settings.port))
            self._listener.listen(1024)
            self._listener.setblocking(False)
            self._api = await asyncio.get_running_loop().create_server(
                self._server, sock=self._listener, ssl=self.tls.context, backlog=1024
            )
            self._control = web.AppRunner(control.application(self), access_log=None, shutdown_timeout=0.2)
            await self._control.setup()
            site = web.TCPSite(self._control, host, self.settings.control_port)
            await site.start()
        except BaseException:
            self._remove_files()
            raise
        shown = f"[{host}]" if ":" in host else host
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self.control_url = f"http://{shown}:{self._control.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening, drop every connection, remove the files."""
        self.world.end()
        self._api.close()
        await self._server.shutdown(timeout=0.1)
        await self._control.cleanup()
        self._remove_files()

    def _remove_files(self) -> None:
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)

    # What the control address and the handle ask for

    def reset(self, value: Any = None) -> None:
        """Start anew from a document (None: the one of the start): no session, no record, the faults of the start."""
        fresh = self._build(value)
        self.world.end()
        self.world = fresh
        self.record.clear()
        self.plan.clear()
        self.add_faults(self._initial_faults)
        self._counted_before = (self._listener.accepted, self._server.handshakes)

    def _build(self, value: Any) -> World:
        loaded = document.load(self._initial if value is None else value)
        for key, item in self.settings.overrides().items():
            setattr(loaded.options, key, item)
        return World(loaded, self.clock)

    def add_faults(self, value: Any) -> list[dict[str, Any]]:
        """Append rules to the plan; returns the whole plan."""
        self.plan.extend(faults.read_rules(value))
        return self.fault_list()

    def fault_list(self) -> list[dict[str, Any]]:
        """The plan, with how often each rule matched and was applied."""
        return [rule.describe() for rule in self.plan]

    def expire_sessions(self) -> int:
        """Let every session die; returns how many there were."""
        count = self.world.open_sessions()
        self.world.sessions.clear()
        return count

    def summary(self) -> dict[str, int]:
        """Counters since the last reset."""
        connections, handshakes = self._counted_before
        return {
            **asdict(self.world.tally),
            "open_sessions": self.world.open_sessions(),
            "tcp_connections": self._listener.accepted - connections,
            "tls_handshakes": self._server.handshakes - handshakes,
            "requests": len(self.record.entries),
            "under_way": self.under_way,
        }

    def access(self) -> dict[str, Any]:
        """What a client needs: addresses, files and the first credentials of each kind."""
        users = self.world.document.users
        with_password = next((user for user in users if user.password), None)
        return {
            "url": self.url,
            "ca_path": str(self.tls.ca_path),
            "control_url": self.control_url,
            "username": (with_password.logins or [with_password.name])[0] if with_password else None,
            "password": with_password.password if with_password else None,
            "api_token": next((user.api_token for user in users if user.api_token), None),
            "jwt": next((user.jwt for user in users if user.jwt), None),
            "client_cert": str(self.tls.client_cert) if self.tls.client_cert else None,
            "client_key": str(self.tls.client_key) if self.tls.client_key else None,
        }

    def logins(self) -> dict[str, str]:
        """For each role the first user that has it on everything, with the password."""
        found: dict[str, str] = {}
        for user in self.world.document.users:
            for grant in user.grants if user.password else ():
                if not grant.scope:
                    found.setdefault(grant.role, f"{(user.logins or [user.name])[0]} / {user.password}")
        return {role: found[role] for role in ROLES if role in found}

    # One request

    def _make_request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        """aiohttp's hook. A request that is not HTTP comes here as UNKNOWN; aiohttp answers it with 400."""
        loop = asyncio.get_running_loop()
        request = web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MOST_BODY)
        if message.method == "UNKNOWN":
            self._note(request, routing.Target("", ""), routing.Route()).status = 400
        return request

    def _note(self, request: web.BaseRequest, target: routing.Target, route: routing.Route) -> Entry:
        transport, connection = request.transport, request.protocol
        address = transport.get_extra_info("peername") if transport else None
        unescaped = connection.unescaped if isinstance(connection, Connection) else {}
        headers: dict[str, str] = {}
        for key, value in request.raw_headers:
            name, text = key.decode("latin-1"), value.decode("utf-8", "surrogateescape")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
        return self.record.open(
            monotonic=self.clock(),
            connection=self._listener.numbers.get(address, 0),
            method=request.method,
            raw_path=unescaped.get(request.raw_path, request.raw_path) if target.path else "",
            path=target.decoded,
            query=target.query,
            headers=headers,
            operation=route.operation,
            server=route.server or None,
            task=route.task or None,
            endpoint=route.endpoint or None,
            session=request.headers.get(answers.SESSION_HEADER),
        )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """aiohttp's hook for a request."""
        self.under_way += 1
        try:
            return await self._respond(request)
        finally:
            self.under_way -= 1

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Record, decide on a fault, work, answer. One write for the whole answer: with two, a kept connection
        would cost its client 40 ms a request (docs/enterprise_manager_api.md, 4.13)."""
        world = self.world
        world.do_due_work()
        target = routing.take_apart(request.raw_path)
        route = routing.resolve(request.method, target, world.knows)
        entry = self._note(request, target, route)
        rule = faults.choose(self.plan, request.method, target.decoded, route)
        fault = rule.parameters if rule else None
        entry.fault = rule.fault if rule else None
        try:
            answer = await self._faulty_work(world, request, target, route, entry, fault)
        except Abandoned:
            mishaps.cut(request, "close")
            return mishaps.Sent()
        spoilt = mishaps.altered(fault, answer)
        whole = fault is None or spoilt is not None or isinstance(fault, (faults.Delay, faults.ExpireSession))
        answer = spoilt or answer
        entry.seconds = self.clock() - entry.monotonic
        if not whole:
            entry.error_code = None
            await mishaps.spoil(request, fault, answer)
            return mishaps.Sent()
        entry.status, entry.error_code = answer.status, answer.error_code
        keep = bool(request.keep_alive)
        body = b"" if request.method == "HEAD" else answer.body
        await mishaps.write(request, answer.head(close=not keep) + body)
        return mishaps.Sent(keep)

    async def delay(self, seconds: float) -> None:
        """Wait, as a fault of the plan says; a reset ends it."""
        await self.world.pause(seconds)

    async def _faulty_work(
        self,
        world: World,
        request: web.BaseRequest,
        target: routing.Target,
        route: routing.Route,
        entry: Entry,
        fault: Any,
    ) -> Answer:
        """The work as far as the fault lets it be done."""
        if isinstance(fault, faults.ExpireSession):
            world.sessions.pop(entry.session or "", None)
        if isinstance(fault, faults.Delay) and fault.when == "before":
            await self.delay(fault.seconds)
        if fault is not None and not fault.work:
            return answers.json_answer({"state": "STOPPED", "error_message": ""})
        work = self._work(world, request, target, route, entry)
        if isinstance(fault, faults.CutAfter) and fault.seconds is not None:
            running = asyncio.ensure_future(work)
            await asyncio.wait({running}, timeout=fault.seconds)
            running.cancel()  # stops the waiting only: what was begun goes on by itself
            await asyncio.wait({running})
            return answers.json_answer({})
        answer = await work
        if isinstance(fault, faults.Delay) and fault.when == "after":
            await self.delay(fault.seconds)
        return answer

    async def _work(
        self, world: World, request: web.BaseRequest, target: routing.Target, route: routing.Route, entry: Entry
    ) -> Answer:
        """The answer of a stand-in without faults."""
        # The length of a POST or PUT is looked at before anything else; DELETE goes without
        # (docs/enterprise_manager_api.md, 4.1).
        is_chunked = request.headers.get("Transfer-Encoding", "").lower() == "chunked"  # http.sys takes it
        if request.method in ("POST", "PUT") and "Content-Length" not in request.headers and not is_chunked:
            return answers.page(411)
        if request.headers.get("Expect", "").lower() == "100-continue":
            await mishaps.write(request, b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            body = await request.read()
        except (OSError, web.RequestPayloadError) as error:  # the client left, or broke off its own body
            raise Abandoned from error
        entry.body = body.decode("utf-8", "replace")
        if world.over:
            raise Abandoned
        most = world.document.options.most_calls
        if most is not None and self.calls >= most:
            world.tally.turned_away += 1
            return answers.page(429)
        self.calls += 1
        world.tally.most_calls = max(world.tally.most_calls, self.calls)
        try:
            return await self._call(world, request, target, route, entry, body)
        finally:
            self.calls -= 1

    async def _call(
        self,
        world: World,
        request: web.BaseRequest,
        target: routing.Target,
        route: routing.Route,
        entry: Entry,
        body: bytes,
    ) -> Answer:
        """The answer to a call that is let in."""
        if route.operation is None:
            return answers.page(404)  # no JSON (docs/enterprise_manager_api.md, 3.11)
        if route.operation == "Login":
            return self._login(world, request, body, entry)
        session = world.session(entry.session)
        # A missing id is as bad as a wrong one (docs/enterprise_manager_api.md, 2.11).
        if session is None:
            return answers.refusal(failure("INVALID_SESSION_ID"))
        entry.user = session.user.name
        if route.operation == "Logout":
            del world.sessions[entry.session or ""]
            world.tally.logouts += 1
            entry.executed = True
            operations.audit(world, entry)
            return answers.void()
        call = operations.Call(world, route, target.query, body, session, entry)
        world.do_due_work()
        try:
            result = await operations.perform(operations.OPERATIONS[route.operation], call)
        except ApiError as error:
            return answers.refusal(error)
        finally:
            session.last_used = self.clock()  # a call that waited a minute was in use all that time
        variants = world.document.variants
        return answers.result_answer(result, variants.void_body, variants.fractions)

    def _login(self, world: World, request: web.BaseRequest, body: bytes, entry: Entry) -> Answer:
        """Login. Every user may: the role that the guide asks for would, inherited, let everybody see everything."""
        header = request.headers.get("Authorization")
        users = world.document.users
        if header is None and request.method == "POST":
            user = credentials.user_of_form(body, users)
        else:
            user = credentials.user_of_basic(header or "", users)
        if user is None:
            world.tally.failed_logins += 1
            # Assumption (docs/enterprise_manager_api.md, 2.10).
            return answers.void(401, WWW_Authenticate="Basic")
        entry.user = user.name
        entry.executed = True
        operations.audit(world, entry)
        return answers.logged_in(world.open_session(user))


def _read(source: str | Path | Any) -> Any:
    if not isinstance(source, (str, Path)):
        return source
    try:
        return document.parse(Path(source).read_text(encoding="utf-8"), str(source))
    except OSError as error:
        raise InputError(f"{source} can't be read: {error.strerror}") from error


@functools.lru_cache(maxsize=1)
def _default() -> Any:
    return _read(document.DEFAULT_DOCUMENT)
