# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault plan: which request is to go wrong, and how. Decisions only; `mishaps` carries them out."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from . import checks
from .checks import Anything, Flag, InputError, MaybeName, MaybeNumber, MaybeText, Name, Number, Positive, Text, Whole
from .routing import METHODS, Route

# Seconds and bytes after which the never-ending faults end all the same, so that the stand-in survives them.
LONGEST = 60.0
MOST_BYTES = 64 * 1024 * 1024


@dataclass
class Match:
    """Which requests a rule is about; what is not given matches everything."""

    operation: Annotated[str | None, checks.optional(checks.choice(*sorted(set(METHODS.values()))))] = None
    method: MaybeName = None
    path: MaybeName = None
    server: MaybeName = None
    task: MaybeName = None
    endpoint: MaybeName = None

    def fits(self, method: str, decoded_path: str, route: Route) -> bool:
        """Whether the request is one of these. `path` is a glob on the whole decoded path, without the query."""
        return (
            self.operation in (None, route.operation)
            and self.method in (None, method)
            and (self.path is None or fnmatch.fnmatchcase(decoded_path, self.path))
            and self.server in (None, route.server)
            and self.task in (None, route.task)
            and self.endpoint in (None, route.endpoint)
        )


@dataclass
class Delay:
    """Wait `seconds`, before or after the work; then answer as usual."""

    seconds: Number
    when: Annotated[str, checks.choice("before", "after")] = "before"
    work: bool = True


@dataclass
class CutBefore:
    """The connection ends before the work is done; no answer."""

    how: Annotated[str, checks.choice("close", "reset")] = "close"
    work: bool = False


@dataclass
class CutAfter:
    """The work is done, the connection ends, no answer. With `seconds` it ends that long after the work began."""

    how: Annotated[str, checks.choice("close", "reset")] = "close"
    seconds: MaybeNumber = None
    work: Flag = True


@dataclass
class CutMidway:
    """Half of the answer's headers or of its body, then the connection ends."""

    how: Annotated[str, checks.choice("close", "reset")] = "close"
    part: Annotated[str, checks.choice("headers", "body")] = "body"
    work: Flag = True


@dataclass
class Status:
    """Another HTTP status with an HTML body, as a proxy in between sends it."""

    status: Whole
    body: MaybeText = None
    headers: Annotated[dict[str, str], checks.mapping] = field(default_factory=dict)
    work: Flag = False

    def __post_init__(self) -> None:
        if not 200 <= self.status <= 599:
            raise InputError(f"fault status: status must be from 200 to 599, not {self.status}")


@dataclass
class Garbage:
    """Bytes that are not HTTP."""

    text: Name = "\x16\x03\x01 this is not HTTP\r\n\r\n"
    work: Flag = True


@dataclass
class BadJson:
    """A 200 whose body is not JSON, or other JSON than the method gives."""

    body: Text = '{"state": STOPPED, "error_message"'
    work: Flag = True


@dataclass
class Truncated:
    """Half of the JSON: with a Content-Length that fits the half, or with that of the whole and a cut."""

    length: Annotated[str, checks.choice("right", "too_long")] = "right"
    work: Flag = True


@dataclass
class Html:
    """A 200 with an HTML page."""

    body: Name = "<html><body><h1>Sign in</h1></body></html>"
    work: Flag = True


@dataclass
class Empty:
    """A 200 with nothing in it."""

    work: Flag = True


@dataclass
class Endless:
    """A body without end, as fast as the client reads."""

    max_bytes: Positive = MOST_BYTES
    seconds: Number = 30
    chunked: Flag = False  # else: no length at all, the body ends with the connection
    work: Flag = True


@dataclass
class Trickle:
    """The right answer, byte by byte, one each `interval` seconds; with `headers` these too."""

    interval: Number = 0.05
    headers: Flag = False
    seconds: Number = LONGEST
    work: Flag = True


@dataclass
class ExpireSession:
    """The session expires just before this request is handled."""

    work: bool = True


@dataclass
class Redirect:
    """A redirect elsewhere."""

    location: Name
    status: Whole = 302
    work: Flag = False

    def __post_init__(self) -> None:
        if not 300 <= self.status <= 399:
            raise InputError(f"fault redirect: status must be from 300 to 399, not {self.status}")


@dataclass
class Error:
    """A failure of the API with any code."""

    error_code: Text
    error_message: Text = "A failure from the fault plan."
    http_status: Whole = 500
    work: Flag = False

    def __post_init__(self) -> None:
        if not 200 <= self.http_status <= 599:
            raise InputError(f"fault error: http_status must be from 200 to 599, not {self.http_status}")


@dataclass
class Answer:
    """A 200 with the given JSON instead of the method's own."""

    json: Anything
    work: Flag = True


@dataclass
class Stall:
    """Take the request and never answer, at most for `seconds`; then the connection ends."""

    seconds: Number = LONGEST
    work: Flag = False


FAULTS: dict[str, type] = {
    "delay": Delay,
    "cut_before": CutBefore,
    "cut_after": CutAfter,
    "cut_midway": CutMidway,
    "status": Status,
    "garbage": Garbage,
    "bad_json": BadJson,
    "truncated_json": Truncated,
    "html": Html,
    "empty": Empty,
    "endless": Endless,
    "trickle": Trickle,
    "expire_session": ExpireSession,
    "redirect": Redirect,
    "error": Error,
    "answer": Answer,
    "stall": Stall,
}


@dataclass
class Rule:
    """One line of the plan. `nth` counts the requests that match, from when the rule was set."""

    fault: str
    parameters: Any
    match: Match = field(default_factory=Match)
    nth: int | list[int] | str = 1
    count: int | None = None
    matched: int = 0
    applied: int = 0

    def hits(self) -> bool:
        """Count one matching request and return whether it is to go wrong."""
        self.matched += 1
        hit = self._is_meant(self.matched)
        self.applied += hit
        return hit

    def _is_meant(self, number: int) -> bool:
        if isinstance(self.nth, list):
            return number in self.nth
        if self.nth == "all":
            return self.count is None or number <= self.count
        first = int(self.nth)
        return first <= number < first + (1 if self.count is None else self.count)

    def describe(self) -> dict[str, Any]:
        """The rule as JSON, with how often it matched and was applied."""
        return {
            "match": {key: value for key, value in asdict(self.match).items() if value is not None},
            "nth": self.nth,
            "count": self.count,
            "fault": self.fault,
            **asdict(self.parameters),
            "matched": self.matched,
            "applied": self.applied,
        }


def read_rule(value: Any, where: str) -> Rule:
    """Check one rule: match, nth, count, fault; every other member is a parameter of that fault."""
    given = checks.mapping(value, where)
    if "fault" not in given:
        raise InputError(f"{where}: fault is missing; there are {', '.join(sorted(FAULTS))}")
    kind = checks.choice(*sorted(FAULTS))(given.pop("fault"), f"{where}.fault")
    match = checks.read(Match, given.pop("match", {}), f"{where}.match")
    nth = _nth(given.pop("nth", 1), f"{where}.nth")
    count = checks.optional(checks.positive)(given.pop("count", None), f"{where}.count")
    if isinstance(nth, list) and count is not None:
        raise InputError(f"{where}: count goes with a number or 'all' as nth, not with a list")
    return Rule(kind, checks.read(FAULTS[kind], given, f"{where} ({kind})"), match, nth, count)


def read_rules(value: Any) -> list[Rule]:
    """Check a list of rules (or one rule)."""
    items = value if isinstance(value, (list, tuple)) else [value]
    return [read_rule(item, f"faults[{index}]") for index, item in enumerate(items)]


def _nth(value: Any, where: str) -> int | list[int] | str:
    if value == "all":
        return "all"
    if isinstance(value, (list, tuple)):
        return checks.list_of(checks.positive)(value, where)
    try:
        return checks.positive(value, where)
    except InputError:
        raise InputError(f"{where} must be a number of 1 or more, a list of such, or 'all', not {value!r}") from None


def choose(rules: Iterable[Rule], method: str, decoded_path: str, route: Route) -> Rule | None:
    """The rule to apply to a request: the first that hits. All matching rules count the request."""
    hits = [rule for rule in rules if rule.match.fits(method, decoded_path, route) and rule.hits()]
    for loser in hits[1:]:
        loser.applied -= 1
    return hits[0] if hits else None
