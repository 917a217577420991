# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The client: one API session, retries by the safety of the call, answers and errors by ``error_code``."""

from __future__ import annotations

import codecs
import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from email.utils import formatdate, parsedate_to_datetime
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote, urlencode

from . import exact_json, shapes
from .checks import check_segment
from .connection import API_PATH, Connection
from .error_codes import INVALID_SESSION_ID, UNAUTHORIZED_REQUEST, advice_on
from .errors import AemError, ApiError, LoginRefused, TransportError, sentence
from .interrupt import Interrupt
from .limits import Limits
from .masking import Secrets
from .refusals import Refusals
from .shapes import Check
from .transport import Reply, Spool, Transport
from .writes import Writes

SESSION_HEADER = "EnterpriseManager.APISessionID"
NOT_SUPPORTED = "AEM_METHOD_NOT_SUPPORTED_VERSION"
# How much of a path names the object that does not exist.
NOT_FOUND = {"AEM_SERVER_NOT_FOUND": 2, "AEM_TASK_NOT_FOUND": 4, "AEM_ENDPOINT_NOT_FOUND": 4}
NOT_JSON: Any = object()
EXCERPT = 200  # characters of a foreign answer that a message shows
LONGEST_MESSAGE = 2000  # characters of a message of the API
SEARCHED = 256 * 1024  # of a longer text, characters that are searched for secrets: more than the ones that are shown
# An answer with more lists and objects than that, and with more than one in so many bytes, is not one of the API: it
# would take far more memory than its own size.
FEW_PARTS = 64 * 1024
BYTES_OF_A_PART = 16
# The statuses after which a read is sent again, when the server says (RFC 9110, 10.2.3).
TOO_LATE, TOO_MANY, UNAVAILABLE = 408, 429, 503
SERVER_ERROR = 500  # of an answer to a login that does not say why: it may be a wrong password
BUSY = "Check the server and whatever stands between (proxy, load balancer)."


class Target(NamedTuple):
    """What a call acts on: the segments of its path, and how messages name it (empty: Enterprise Manager itself)."""

    path: tuple[str, ...]
    subject: str = ""


class Call(NamedTuple):
    """One method of the vendor guide, ready to be sent."""

    method: str  # the guide's name
    verb: str
    target: Target
    role: str = ""  # what the guide asks for
    query: Mapping[str, Any] = {}
    body: Any = None  # JSON, or a plain text; None: no body
    server_timeout: float = 0  # seconds that the server itself may wait; 0 if the call has no such limit
    shape: Check | None = None  # the form of the answer; None: the method promises none
    is_open: bool = False  # whether the form of the answer is not known: any is taken, and given as ``content``
    accept: tuple[str, ...] = ()  # the error codes that are an answer, not a failure
    scope: str = ""  # for which products and since when the guide has it, if not for all
    is_exact: bool = False  # whether the answer's numbers are kept as they are: one that no float holds is a Decimal
    spool: BinaryIO | None = None  # of an open call, the file that gets an answer too long for the memory
    too_long: str = ""  # what to do if the answer is too long: it would be so again
    is_bound: bool = False  # whether it holds what was read in this session, so that no other one may send it

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does no harm. All reads are GET; a login leaves at most a session that dies."""
        return self.verb == "GET" or self.method == "Login"

    @property
    def is_large(self) -> bool:
        """Whether the answer may be as long as the definitions of a whole server."""
        return self.is_exact or self.is_open

    def __str__(self) -> str:
        return f"{self.method} of {self.target.subject}" if self.target.subject else self.method


class Answer(NamedTuple):
    """What the server answered: ``body`` of a success, or an accepted ``error_code`` with its message."""

    body: dict[str, Any]
    headers: Mapping[str, str]
    error_code: str = ""
    message: str = ""
    http_status: int = 200
    content: bytes = b""  # of an open call only
    is_spooled: bool = False  # whether the content is in the spool of the call instead

    @property
    def result(self) -> dict[str, Any]:
        """The body of a success; empty for an accepted error code."""
        return {} if self.error_code else self.body


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
            text = f"Login at {self._connection.url} was answered without a session id."
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
                known = f"the guide has it {call.scope}" if call.scope else "the guide has it for all releases"
                page.hint = f"The API has answered before, so that this release may not have {call.method}: {known}."
            if self._listener and reply.headers.get("Server") == self._listener:
                page.sent = False
            elif not call.repeatable:
                page.hint += " Somebody between sent the page, as it seems: whether something was done is not known."
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


def read_answer(call: Call, reply: Reply, connection: Connection, mask: Callable[[str], str] = str) -> Answer:
    """Return the answer in ``reply``; decide by ``error_code``, never by the HTTP status or the text alone.

    ``mask`` takes the secrets out of a text that is shown in part.
    Raises ApiError if the server said no, TransportError if the reply is not one of the API.
    """
    if reply.is_spooled:
        return Answer({}, reply.headers, http_status=reply.status, is_spooled=True)
    body = _json(reply.body, exact_json.number if call.is_exact else float)
    if isinstance(body, dict):
        code, message = str(body.get("error_code") or ""), _excerpt(body.get("error_message"), LONGEST_MESSAGE, mask)
        if code in call.accept:
            return Answer(body, reply.headers, code, message, reply.status)
        if code:
            raise _api_error(call, code, message, reply.status, connection)
    if 200 <= reply.status < 300 and call.is_open:
        return Answer({}, reply.headers, http_status=reply.status, content=bytes(reply.body))
    if 200 <= reply.status < 300 and body is not NOT_JSON and (reply.body or not call.shape):
        # A void call may answer any JSON (docs/enterprise_manager_api.md, 4.12).
        fault = shapes.fault_in(body, call.shape) if call.shape else ""
        fault = fault or ("" if call.is_exact else shapes.half_character(reply.body, body))
        if fault:
            raise _odd_answer(call, reply, connection, fault)
        return Answer(body if isinstance(body, dict) else {}, reply.headers)
    # Without a body of the API: a wrong password (docs/enterprise_manager_api.md, 2.10), or a proxy. Of a write only a
    # body of the API says that nothing was done.
    if reply.status in (401, 403) and call.repeatable:
        raise _api_error(call, "", f"HTTP {reply.status}", reply.status, connection)
    raise _foreign_reply(reply, connection, mask)


def _json(body: bytes | bytearray, parse_float: Callable[[str], Any]) -> Any:
    """Return the parsed body, NOT_JSON if it is none; an empty one (docs/enterprise_manager_api.md, 4.12) is an object.

    Older exports begin with a line ``// Host name: ...`` (docs/enterprise_manager_api.md, 10.1).
    """
    if body.count(b"[") + body.count(b"{") > max(FEW_PARTS, len(body) // BYTES_OF_A_PART):
        return NOT_JSON
    if body.startswith(b"//"):
        body = body.partition(b"\n")[2]
    try:
        return json.loads(body, parse_float=parse_float) if body else {}
    except (ValueError, RecursionError):
        return NOT_JSON


def _odd_answer(call: Call, reply: Reply, connection: Connection, fault: str) -> TransportError:
    """Return the failure for an answer of the API in another form than the method promises."""
    text = f"{connection.url} answered in another form than {call.method} has: {fault}."
    hint = "Check the server's release, and whatever stands between (proxy, load balancer)."
    return TransportError(text, hint, http_status=reply.status, url=connection.url)


def _api_error(call: Call, code: str, message: str, status: int, connection: Connection) -> ApiError:
    advice = advice_on(code)
    what = str(call) if call.target.subject else f"{call} at {connection.url}"
    error = ApiError(
        f"{what} failed: {message or advice.meaning or code}",
        advice.remedy,
        not_found=call.target.path[: NOT_FOUND.get(code, 0)],
        error_code=code,
        http_status=status,
        error_message=message,
    )
    if code == NOT_SUPPORTED and call.scope:
        error.hint = f"The guide has {call.method} {call.scope}."
    if error.is_refusal and call.role:
        error.message = f"{what} was refused to {connection.user}: {message}"
        error.hint = f"The guide asks for the role {call.role}. {advice_on(UNAUTHORIZED_REQUEST).remedy}"
    return error


def _text(body: bytes | bytearray) -> str:
    """Return the begin of a body as text; of one in another encoding nothing, as a secret would not be found in it."""
    try:
        # A decoder that may get more: the last character may be cut.
        return codecs.getincrementaldecoder("utf-8")().decode(body[:SEARCHED], final=len(body) <= SEARCHED)
    except UnicodeDecodeError:
        return f"{len(body)} bytes that are not text"


def _excerpt(text: Any, most: int, mask: Callable[[str], str]) -> str:
    """Return the begin of a text of a server for a message.

    It is masked before it is cut: half a secret would not be found later.
    """
    whole = str(text or "")
    masked = mask(whole[:SEARCHED])
    return masked if len(whole) <= SEARCHED and len(masked) <= most else f"{masked[:most]}..."


def retry_after(headers: Mapping[str, str]) -> float:
    """Return for how many seconds a server asks to wait: a number, or a time by its own clock; 0 if it does not."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until, now = (parsedate_to_datetime(one).timestamp() for one in (text, headers.get("Date") or formatdate()))
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0.0
    return max(0.0, until - now)


def _foreign_reply(reply: Reply, connection: Connection, mask: Callable[[str], str]) -> TransportError:
    """Return the failure for an answer that Enterprise Manager would not give: somebody stands in between."""
    facts: dict[str, Any] = {"http_status": reply.status, "url": connection.url}
    if 300 <= reply.status < 400:
        text = f"{connection.url} redirects to {reply.headers.get('Location', 'nowhere')}, which is not followed."
        return TransportError(text, "Check that url leads to Enterprise Manager itself.", final=True, **facts)
    # Masked while it is whole: neither half a secret nor one whose blanks were joined would be found later.
    start = " ".join(mask(_text(reply.body)).split())[:EXCERPT]
    text = f'{connection.url} answered HTTP {reply.status} with something that is not of the API: "{start}".'
    if reply.status in (TOO_LATE, TOO_MANY, UNAVAILABLE):
        # 429 turns a call away. 408 should as well, but is given after a call that had come whole, too.
        failure = TransportError(text, BUSY, sent=reply.status != TOO_MANY, **facts)
        failure.pause = retry_after(reply.headers)
        if failure.pause:
            failure.hint = f"It asks to wait {failure.pause:g} s before the next attempt. {BUSY}"
        return failure
    if reply.status in (401, 403):
        hint = "A proxy or a firewall refuses this call, as it seems: the API says so in JSON."
        return TransportError(text, hint, final=True, **facts)
    if 400 <= reply.status < 500:
        return TransportError(text, "Check the host and the path in url.", final=True, **facts)
    return TransportError(text, BUSY, **facts)
