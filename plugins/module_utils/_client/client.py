# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The client: one API session, retries by the safety of the call, answers and errors by ``error_code``."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from . import exact_json
from .calls import Answer, Call, Target
from .checks import check_segment
from .connection import API_PATH, Connection
from .errors import INVALID_SESSION_ID, AemError, ApiError, LoginRefused, TransportError, sentence
from .interrupt import Interrupt
from .limits import Limits
from .masking import Secrets
from .refusals import Refusals
from .replies import TOO_MANY, UNAVAILABLE, read_answer
from .transport import Reply, Spool, Transport
from .writes import Writes

SESSION_HEADER = "EnterpriseManager.APISessionID"
SERVER_ERROR = 500  # of an answer to a login that does not say why: it may be a wrong password


class Client:
    """Carries calls within one API session, which it opens lazily and closes at the end. Safe for threads.

    The ids of its sessions are added to ``secrets``.
    """

    def __init__(
        self,
        connection: Connection,
        transport: Transport,
        secrets: Secrets,
        interrupt: Interrupt,
        limits: Limits,
        refusals: Refusals | None = None,
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._secrets = secrets
        self.interrupt = interrupt
        self.limits = limits
        self.writes = Writes()
        self._lock = threading.Lock()
        self._session_id = connection.session_id
        self._is_ours = False  # whether we opened the session, so that we close it
        self._refusals = refusals or Refusals()
        self._listener: str | None = None  # how the server introduces itself that has answered as the API does
        # The Date header of the last answer (empty: it had none), and when it came (monotonic seconds).
        self.last_date = ("", 0.0)

    @property
    def address(self) -> str:
        """Where Enterprise Manager is, in one spelling: what a file of one installation is known by."""
        return self._connection.address

    @property
    def is_passed_in(self) -> bool:
        """Whether the caller passed in a session."""
        return self._connection.session_id is not None

    def hide(self, values: Iterable[str]) -> None:
        """Mask these values in all that comes out, too."""
        self._secrets.add([("", value) for value in values])

    def masked(self, value: Any) -> Any:
        """Return ``value``, as ``Secrets.mask`` takes it, without those of this run: the frames mask no files."""
        return self._secrets.mask(value)

    def call(self, call: Call) -> Answer:
        """Send ``call`` and return the answer.

        Raises ApiError (the server said no), LoginRefused, or TransportError (no usable answer; if its ``sent`` is
        true for a write, the write may have been done), Interrupted (nothing was sent). A call that is bound to its
        session raises ApiError with INVALID_SESSION_ID, too: see ``lost_answers.from_the_read``.
        """
        if call.verb == "GET":
            return self._call(call)
        return self.writes.send(lambda: self._call(call), lambda answer: answer.error_code)

    def _call(self, call: Call) -> Answer:
        self.interrupt.check()
        session_id = self.session()
        try:
            return self._send(call, {SESSION_HEADER: session_id})
        except ApiError as error:
            if error.error_code != INVALID_SESSION_ID or not self._connection.login or call.is_bound:
                raise
        # The server did nothing, so that the call may be sent again (docs/enterprise_manager_api.md, 2.12);
        # once only, or a server in trouble is hammered.
        return self._send(call, {SESSION_HEADER: self.session(stale=session_id)})

    def session(self, stale: str | None = None) -> str:
        """Return the id of a live session; ``stale`` is one that the server has just refused.

        Of many threads that find the same stale session, one logs in and the others take what it got.
        """
        known = self._session_id
        if known is not None and known != stale:
            return known  # without the lock, for which all threads would queue at each call
        with self._lock:
            if self._session_id is None or self._session_id == stale:
                session_id = self._login()
                self._is_ours = True
                self._secrets.add([("", session_id)])
                self._session_id = session_id  # last: from now on it is used, and must not come out
            return self._session_id

    def detach(self) -> str:
        """Return the id of a live session that ``close`` leaves open."""
        session_id = self.session()
        self._is_ours = False
        return session_id

    def end_session(self) -> None:
        """Log out. Raises ApiError with INVALID_SESSION_ID if the session was dead already."""
        call = Call("Logout", "GET", Target(("logout",)))
        self._send(call, {SESSION_HEADER: str(self._session_id)}, self.limits.logout)

    def close(self) -> None:
        """Log out if this client logged in."""
        try:
            if self._is_ours and self._session_id:
                self.end_session()
        except AemError:
            # Nothing is lost: the server ends an idle session after 5 minutes (docs/enterprise_manager_api.md, 2.5).
            pass
        finally:
            self._is_ours = False

    def _login(self) -> str:
        """Open a session and return its id; a refusal is remembered, so that nobody asks again."""
        login = self._connection.login
        if not login:  # the connection options give a session or a login, and call() renews with a login only
            raise AssertionError("no way to log in")
        identity = (self.address, login.user, login.secret)
        with self._refusals.turn(identity, self._connection.request_timeout, self.interrupt.pause):
            try:
                answer = self._send(Call("Login", "POST", Target(("login",))), {"Authorization": login.authorization()})
            except (TransportError, ApiError) as failure:
                if not isinstance(failure, ApiError) and failure.facts.get("http_status") != SERVER_ERROR:
                    failure.sent = (
                        False  # nothing left of the call that wants the session, whatever became of the login
                    )
                    raise
                refusal = self._refusal(failure)
                self._refusals.remember(identity, refusal.message, **refusal.facts)
                raise refusal from failure
        session_id = answer.headers.get(SESSION_HEADER)
        if not session_id:
            text = f"{self._connection.url} answered the login without a session ID."
            raise TransportError(text, "Check that url leads to Enterprise Manager.", sent=False, final=True)
        return session_id

    def _refusal(self, failure: TransportError | ApiError) -> LoginRefused:
        """Return what an answer to a login means that is, or may be, a refusal."""
        connection, hint = self._connection, "Check the login options and the user's rights in Enterprise Manager."
        said = failure.facts.get("error_message") or failure.message
        if isinstance(failure, ApiError) and not failure.is_refusal and failure.hint:
            hint = failure.hint
        return LoginRefused(
            sentence(f"{connection.url} refused to log in {connection.user}: {said}"),
            f"{hint} The login was not tried again, so that the account does not get locked.",
            **{**failure.facts, "login_refused": True},
        )

    def _send(self, call: Call, headers: Mapping[str, str], limit: float | None = None) -> Answer:
        """Send ``call`` until there is an answer, or trying again is unsafe or hopeless; ``limit`` is in seconds.

        A call that may be repeated is; any other only if nothing of it left.
        """
        limit = limit or (
            call.server_timeout + self.limits.server_margin if call.server_timeout else self._connection.request_timeout
        )
        deadline = time.monotonic() + limit
        body = None
        if isinstance(call.body, str):
            headers = {**headers, "Content-Type": "text/plain; charset=utf-8"}
            body = call.body.encode()
        elif call.body is not None:
            headers = {**headers, "Content-Type": "application/json"}
            body = exact_json.dumps(call.body).encode()
        url = build_url(self._connection.url, call.target.path, call.query)
        most = self.limits.export_size if call.is_large else self.limits.answer_size
        spool = None
        if call.spool:
            spool, most = Spool(call.spool, self.limits.spool_from), self.limits.spool_size
        for least in _pauses(self.limits):
            try:
                reply = self._transport.send(call.verb, url, headers, body, deadline, most, spool)
                self.last_date = (reply.headers.get("Date", ""), time.monotonic())
                if reply.status == 404 and self._listener is not None:
                    return self._read_not_found(call, reply)
                answer = read_answer(call, reply, self._connection, self._secrets.mask)
                self._listener = reply.headers.get("Server", "")
                return answer
            except TransportError as failure:
                if failure.is_too_long and call.too_long:
                    failure.final, failure.hint = True, call.too_long
                pause = max(least, failure.pause)
                if failure.final or not _may_repeat(call, failure) or time.monotonic() + pause >= deadline:
                    failure.message = f"{call} failed: {failure.message}"
                    raise
                self.interrupt.pause(pause)
        raise AssertionError("the last pause is infinite")

    def _read_not_found(self, call: Call, reply: Reply) -> Answer:
        """Return or raise what ``read_answer`` does of a 404, once the API has answered: the address is right.

        A page says then that this release does not have the method. Its own listener sends one before anything is done
        (docs/enterprise_manager_api.md, 3.11); of one that somebody else sends, nobody knows.
        """
        try:
            return read_answer(call, reply, self._connection, self._secrets.mask)
        except TransportError as page:
            if call.scope or call.role:
                known = f"it is documented {call.scope}" if call.scope else "it is documented for all releases"
                page.hint = f"The API answered earlier calls, so this release may not have {call.method}: {known}."
            if self._listener and reply.headers.get("Server") == self._listener:
                page.sent = False
            elif not call.repeatable:
                page.hint += (
                    " The page probably came from a proxy in between, so it is not known whether the call was "
                    "carried out."
                )
            raise


def build_url(base: str, path: tuple[str, ...], query: Mapping[str, Any]) -> str:
    """Return the URL of a call: each name percent-encoded once, as one path segment or one query value."""
    segments = [quote(check_segment("A name in the path", name), safe="") for name in path]
    url = "/".join([base + API_PATH, *segments])
    return f"{url}?{urlencode(query, quote_via=quote, safe='')}" if query else url


def _may_repeat(call: Call, failure: TransportError) -> bool:
    """Return whether sending a call once more does no harm after this failure.

    A login is not sent again after an answer that may be a refusal, or the account gets locked: which one a server
    gives is not documented (docs/enterprise_manager_api.md, 2.10).
    """
    if call.method == "Login" and failure.facts.get("http_status") not in (None, TOO_MANY, UNAVAILABLE):
        return False
    return call.repeatable or not failure.sent


def _pauses(limits: Limits) -> Iterator[float]:
    """Yield the pause (seconds) after each attempt: growing, jittered, infinite after the last attempt."""
    for attempt in range(limits.attempts - 1):
        yield limits.first_pause * 2**attempt * random.uniform(0.5, 1.5)
    yield float("inf")
