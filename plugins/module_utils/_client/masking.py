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

from .connection import SECRET_OPTIONS, variable
from .redaction import MASK, leaves, secret_texts

# What is secret in the value of an option that is not one of the connection's; it gets the value and all options.
Finder = Callable[[Any, Mapping[str, Any]], Iterable[str]]

# Nothing encodes these; that keeps the pattern of a long token short.
PLAIN = frozenset(string.ascii_letters + string.digits + "-_.")
# Forms of a character beside those that every character has.
NAMED = {
    '"': ["&(?:amp;)*quot;"],
    "'": ["&(?:amp;)*apos;"],
    "<": ["&(?:amp;)*lt;"],
    ">": ["&(?:amp;)*gt;"],
    " ": [r"\+", "%(?:25)*2b"],
    "\n": [r"\\+n"],
    "\r": [r"\\+r"],
    "\t": [r"\\+t"],
}


def _char(sign: str) -> str:
    """Return a pattern for one character as it may stand in a URL, a form, JSON, HTML, or a Python message.

    No text may be matched in two ways: each such character would double the time that a near miss takes.
    """
    if sign in PLAIN:
        return re.escape(sign)
    data, code = sign.encode("utf-8", "surrogatepass"), ord(sign)
    units = sign.encode("utf-16-be", "surrogatepass")
    forms = [
        "".join(rf"\\+u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)),
        rf"&(?:amp;)*#(?:0*{code}|x0*{code:x});",
        *NAMED.get(sign, []),
    ]
    if sign.isascii():
        forms += [f"%(?:25)*{code:02x}", rf"\\+x{code:02x}"]  # %2520: a URL in a URL
    else:
        # Bytes of UTF-8 in a URL, in a repr, or read as Latin-1, as headers are; in upper case some signs become two.
        forms.append("".join(rf"(?:%(?:25)*{byte:02x}|\\+x{byte:02x}|{re.escape(chr(byte))})" for byte in data))
        forms.append(rf"\\+x{code:02x}" if code < 256 else rf"\\+U{code:08x}")
        forms += [sign.upper()] if len(sign.upper()) > 1 else []
    # As it is, last: "%" must not be taken from "%25". Backslashes, of strings in strings, may stand before a quote.
    forms.append({"\\": r"\\+", "&": "&(?:amp;)*"}.get(sign) or (r"\\*" if sign in "\"'/" else "") + re.escape(sign))
    return f"(?:{'|'.join(forms)})"


LONGEST = 16384  # characters; for more a pattern takes too long
DATE = re.compile(r"(?:\d{4}-\d\d-\d\d|\d\d?[/.]\d\d?[/.]\d{2,4})(?:[T ][\d:.Z]*)?")
WORD = re.compile(r"\w{1,19}")  # what may be a part of a member's name; a token is longer
# The two signs that differ in URL-safe Base64.
BASE64 = {"+": f"(?:-|{_char('+')})", "/": f"(?:_|{_char('/')})"}


@lru_cache(maxsize=64)  # a loop masks the same secrets again and again
def _pattern(secret: str, user: str) -> re.Pattern[str]:
    """Return a pattern for ``secret`` in any of its forms.

    ``user`` is what stands before it in a Basic header (empty if it never does).
    """
    forms = ["".join(map(_char, secret))]
    for clear in (f"{user}:{secret}", secret):
        encoded = base64.b64encode(clear.encode("utf-8", "surrogatepass")).decode().rstrip("=")
        forms.append("".join(BASE64.get(sign, sign) for sign in encoded) + f"{_char('=')}*")
    # Hexadecimal digits come in either case, and states are put in upper case.
    return re.compile("|".join(forms), re.IGNORECASE)


def all_of(value: Any, _params: Mapping[str, Any]) -> list[str]:
    """Return each text and number in the value of an option that is secret as a whole: a Finder."""
    return leaves(value)


class Secrets:
    """All secrets of a run; ``mask`` replaces each of their forms."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs: dict[tuple[str, str], re.Pattern[str]] = {}
        self._patterns: list[re.Pattern[str]] = []
        self._patterns_in_names: list[re.Pattern[str]] = []
        self._texts: set[str] = set()
        self._long: set[str] = set()  # found as they are only
        self.add(pairs)

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Add ``(user, secret)`` pairs."""
        for user, secret in pairs:
            if len(secret) > LONGEST:
                self._long.add(secret)
            elif secret.strip() and (user, secret) not in self._pairs:  # a blank would mask all blanks
                self._pairs[user, secret] = _pattern(secret, user)  # kept: a licence has more than the cache holds
        self._texts = {secret for _user, secret in self._pairs}
        # The longest first, or a shorter secret would leave the rest of a longer one behind.
        longest_first = sorted(self._pairs, key=lambda pair: len(pair[1]), reverse=True)
        self._patterns = [self._pairs[pair] for pair in longest_first]
        self._patterns_in_names = [self._pairs[pair] for pair in longest_first if not WORD.fullmatch(pair[1])]

    def mask(self, value: Any) -> Any:
        """Return ``value`` (any nesting of dicts, lists and tuples) with all secrets in its strings replaced.

        A number is replaced if it is one. In the names of members, no secret is looked for that may be a word of them:
        a password ``state`` would hide the state.
        """
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

    def _masked(self, text: str, patterns: Iterable[re.Pattern[str]]) -> str:
        for secret in self._long:
            text = text.replace(secret, MASK)
        for pattern in patterns:
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
            found = finders[option](value, params) if option in finders else secret_texts(value)
            yield from (("", secret) for secret in found)
    for option in ("url", "proxy"):
        # A password inside a URL is refused (url) or used (proxy); neither way may it be shown, also if it has a slash.
        before_host = str(params.get(option) or "").rpartition("@")[0].rpartition("://")[2]
        user, _colon, password = before_host.partition(":")
        if password:
            yield user, password
            yield unquote(user), unquote(password)
