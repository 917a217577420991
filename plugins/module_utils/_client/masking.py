# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Keeps secrets out of everything that is shown: the one place that masks."""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from .connection import MASK, SECRET_OPTIONS, variable

# What is secret in the value of an option that is not one of the connection's; it gets the value and all options.
Finder = Callable[[Any, Mapping[str, Any]], Iterable[str]]

# Nothing encodes these; that keeps the pattern of a long token short.
PLAIN = frozenset(string.ascii_letters + string.digits + "-_.")
# How often one thing is encoded within another: bounds, so that a text is searched in a time that grows as its length.
DEPTH = 5  # texts in texts
BACKSLASHES = 2**DEPTH  # JSON doubles them each time
ESCAPE = rf"\\{{1,{BACKSLASHES}}}"
AGAIN = rf"{{0,{DEPTH}}}"
AMPERSAND = f"&(?:amp;){AGAIN}"
PERCENT = f"%(?:25){AGAIN}"
# Forms of a character beside those that every character has.
NAMED = {
    '"': [f"{AMPERSAND}quot;"],
    "'": [f"{AMPERSAND}apos;"],
    "<": [f"{AMPERSAND}lt;"],
    ">": [f"{AMPERSAND}gt;"],
    " ": [r"\+", f"{PERCENT}2b"],
}
ESCAPED = {"\n": "n", "\r": "r", "\t": "t"}
QUOTES = frozenset("\"'/")  # backslashes, of strings in strings, may stand before them
# What is more than one character but has to be looked at as one, or a text could be matched in many ways.
PIECES = re.compile(r"\\+|&(?:amp;)*|.", re.DOTALL)


def _optional(sign: str, escape: str) -> str:
    """Return a pattern for the backslashes that may stand before a character, which mean nothing."""
    return f"(?:{escape})?" if escape and sign in QUOTES else ""


def _encoded(sign: str, escape: str) -> list[str]:
    """Return patterns for the forms of one character that are not itself; ``escape`` is one for backslashes."""
    data, code = sign.encode("utf-8", "surrogatepass"), ord(sign)
    units = sign.encode("utf-16-be", "surrogatepass")
    forms = [
        escape + ESCAPE.join(f"u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)),
        *(
            _optional(sign, escape) + form
            for form in (rf"{AMPERSAND}#(?:0{{0,8}}{code}|x0{{0,8}}{code:x});", *NAMED.get(sign, []))
        ),
    ]
    if sign in ESCAPED:
        forms.append(escape + ESCAPED[sign])
    if sign.isascii():
        return [*forms, f"{PERCENT}{code:02x}", rf"{escape}x{code:02x}"]  # %2520: a URL in a URL
    # Bytes of UTF-8 in a URL, in a repr, or read as Latin-1, as headers are; in upper case some signs become two.
    in_bytes = "".join(
        rf"(?:{PERCENT}{byte:02x}|{ESCAPE if place else escape}x{byte:02x}|{re.escape(chr(byte))})"
        for place, byte in enumerate(data)
    )
    forms += [in_bytes, rf"{escape}x{code:02x}" if code < 256 else rf"{escape}U{code:08x}"]
    return forms + ([sign.upper()] if len(sign.upper()) > 1 else [])


def _char(sign: str, escape: str = ESCAPE) -> str:
    """Return a pattern for one character as it may stand in a URL, a form, JSON, HTML, or a Python message.

    No text may be matched in two ways: each such character would double the time that a near miss takes.
    """
    if sign in PLAIN:
        return re.escape(sign)
    # As it is, last: "%" must not be taken from "%25".
    return f"(?:{'|'.join([*_encoded(sign, escape), _optional(sign, escape) + re.escape(sign)])})"


def _piece(piece: str, escape: str = ESCAPE) -> str:
    """Return a pattern for one of the PIECES that is not backslashes."""
    if piece[0] != "&":
        return _char(piece, escape)
    times = len(piece) // len("amp;")
    encoded = f"(?:{'|'.join(_encoded('&', escape))}){_all(piece[1:])}"
    return f"(?:{encoded}|&(?:amp;){{{times},{times + DEPTH}}})"


def _all(text: str) -> str:
    """Return a pattern for a text in any of its forms."""
    pieces, patterns, at = PIECES.findall(text), [], 0
    while at < len(pieces):
        piece = pieces[at]
        at += 1
        if piece[0] != "\\":
            patterns.append(_piece(piece))
            continue
        count = len(piece)
        encoded = f"(?:{'|'.join(_encoded(piece[0], ESCAPE))}){{{count}}}"
        itself = rf"\\{{{count},{count * BACKSLASHES}}}"
        if at < len(pieces):
            # All backslashes are taken with these, those before what comes next as well: whose they are does not show.
            encoded += _piece(pieces[at])
            itself += rf"(?!\\){_piece(pieces[at], '')}"
        at += 1
        patterns.append(f"(?:{encoded}|{itself})")
    return "".join(patterns)


LONGEST = 16384  # characters; for more a pattern takes too long
DATE = re.compile(r"(?:\d{4}-\d\d-\d\d|\d\d?[/.]\d\d?[/.]\d{2,4})(?:[T ][\d:.Z]*)?")
SCHEME = re.compile(r"^\s*[A-Za-z][\w+.-]*://")  # of a URL; a password may hold "://" as well
WORD = re.compile(r"\w{1,19}")  # what may be a part of a member's name; a token is longer
# The two signs that differ in URL-safe Base64.
BASE64 = {"+": f"(?:-|{_char('+')})", "/": f"(?:_|{_char('/')})"}


@lru_cache(maxsize=64)  # a loop masks the same secrets again and again
def _pattern(secret: str, user: str) -> re.Pattern[str]:
    """Return a pattern for ``secret`` in any of its forms.

    ``user`` is what stands before it in a Basic header (empty if it never does).
    """
    forms = [_all(secret)]
    for clear in (f"{user}:{secret}", secret):
        encoded = base64.b64encode(clear.encode("utf-8", "surrogatepass")).decode().rstrip("=")
        forms.append("".join(BASE64.get(sign, sign) for sign in encoded) + f"{_char('=')}{{0,2}}")
    # Hexadecimal digits come in either case, and states are put in upper case.
    return re.compile("|".join(forms), re.IGNORECASE)


def all_of(value: Any, _params: Mapping[str, Any]) -> list[str]:
    """Return each text and number in the value of an option that is secret as a whole: a Finder."""
    from .redaction import leaves  # late: a stop does not need it, and a module compiles what it imports at each start

    return leaves(value)


class Secrets:
    """All secrets of a run; ``mask`` replaces each of their forms."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs: dict[tuple[str, str], re.Pattern[str]] = {}
        self._long: set[str] = set()  # found as they are only
        self.add(pairs)

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Add ``(user, secret)`` pairs."""
        for user, secret in pairs:
            if len(secret) > LONGEST:
                self._long.add(secret)
            elif secret.strip() and (user, secret) not in self._pairs:  # a blank would mask all blanks
                self._pairs[user, secret] = _pattern(secret, user)  # kept: a licence has more than the cache holds
        self._texts: set[str] = {secret for _user, secret in self._pairs}
        # The longest first, or a shorter secret would leave the rest of a longer one behind.
        longest_first = sorted(self._pairs, key=lambda pair: len(pair[1]), reverse=True)
        # With how long a text must be to hold one: no form is shorter than the secret, and most texts are.
        self._patterns: list[tuple[int, re.Pattern[str]]] = [
            (len(pair[1]), self._pairs[pair]) for pair in longest_first
        ]
        self._patterns_in_names: list[tuple[int, re.Pattern[str]]] = [
            (len(pair[1]), self._pairs[pair]) for pair in longest_first if not WORD.fullmatch(pair[1])
        ]

    def mask(self, value: Any) -> Any:
        """Return ``value`` (any nesting of dicts, lists and tuples) with all secrets in its strings replaced.

        A number is replaced if it is one. In the names of members, no secret is looked for that may be a word of them:
        a password ``state`` would hide the state.
        """
        if value is None:  # as most options are
            return None
        if isinstance(value, str):
            return self._masked(value, self._patterns)
        if isinstance(value, dict):
            return {self._masked_name(key): self.mask(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.mask(item) for item in value]
        if type(value) in (int, float) and str(value) in self._texts:
            return MASK
        return value

    def _masked_name(self, name: Any) -> Any:
        return self._masked(name, self._patterns_in_names) if isinstance(name, str) else name

    def _masked(self, text: str, patterns: Iterable[tuple[int, re.Pattern[str]]]) -> str:
        for secret in self._long:
            text = text.replace(secret, MASK)
        for length, pattern in patterns:
            if len(text) >= length:
                text = pattern.sub(MASK, text)
        return text


def secrets_in(
    params: Mapping[str, Any], environ: Mapping[str, str], finders: Mapping[str, Finder]
) -> Iterator[tuple[str, str]]:
    """Yield a ``(user, secret)`` pair for each secret in the options and the variables, used or not.

    ``finders`` are those of the module's own options; any mapping or list is searched for members with secret names.
    """
    for values in (params, {option: environ.get(variable(option)) for option in (*SECRET_OPTIONS, "username")}):
        for option, user in SECRET_OPTIONS.items():
            if values.get(option):  # one with a line end is refused; the rest of it must not come out either
                for text in dict.fromkeys((str(values[option]), str(values[option]).strip())):
                    yield user or str(values.get("username") or ""), text
    for option, value in params.items():
        if value is not None and (option in finders or isinstance(value, (dict, list))):
            found = finders[option](value, params) if option in finders else _named_in(value)
            yield from (("", secret) for secret in found)
    for option in ("url", "proxy"):
        # A password inside a URL is refused (url) or used (proxy); neither way may it be shown, also if it has a slash.
        before_host = SCHEME.sub("", str(params.get(option) or "").rpartition("@")[0])
        user, _colon, password = before_host.partition(":")
        if password:
            yield user, password
            yield unquote(user), unquote(password)


def _named_in(value: Any) -> Iterable[str]:
    """Return what is secret in an option that is a mapping or a list, by the names of its members."""
    from .redaction import secret_texts  # late: likewise

    return secret_texts(value)
