# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Keeps secrets out of everything that is shown: the one place that masks."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import string
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

MASK = "********"
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
# Members of settings that hold a secret (assumption: the name tells), and how exports encrypt one (notes, 6 and 9).
SECRET_NAME = re.compile(
    r"password|passphrase|secret|token|private_?key|access_?key|api_?key|account_?key", re.IGNORECASE
)
ENCRYPTED = re.compile(r"\{[A-Za-z0-9+/=_-]{16,}\}")
JSON_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*"((?:[^"\\]|\\.)*)"')


def is_secret_name(name: Any) -> bool:
    """Return whether a member of this name holds a secret."""
    return isinstance(name, str) and SECRET_NAME.search(name) is not None


def is_encrypted(value: Any) -> bool:
    """Return whether a value is a text in braces, as a server exports a secret."""
    return isinstance(value, str) and ENCRYPTED.fullmatch(value) is not None


def nested_secrets(value: Any) -> Iterator[str]:
    """Yield the secrets in nested settings, or in a text that is (or should have been) JSON."""
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str) and (is_secret_name(name) or is_encrypted(item)):
                yield item
            elif not isinstance(item, str):
                yield from nested_secrets(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            if not isinstance(item, str):
                yield from nested_secrets(item)
    elif isinstance(value, str):
        for name, item in JSON_MEMBER.findall(value):
            if is_secret_name(name) or is_encrypted(item):
                yield item
                with contextlib.suppress(ValueError):
                    yield json.loads(f'"{item}"', strict=False)


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


class Secrets:
    """All secrets of a run; ``mask`` replaces each of their forms."""

    def __init__(self) -> None:
        self._pairs: set[tuple[str, str]] = set()
        self._patterns: list[re.Pattern[str]] = []

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Add ``(user, secret)`` pairs."""
        self._pairs.update((user, secret) for user, secret in pairs if secret.strip())  # a blank would mask all blanks
        # The longest first, or a shorter secret would leave the rest of a longer one behind.
        longest_first = sorted(self._pairs, key=lambda pair: len(pair[1]), reverse=True)
        self._patterns = [_pattern(secret, user) for user, secret in longest_first]

    def mask(self, value: Any) -> Any:
        """Return ``value`` (any nesting of dicts, lists and tuples) with all secrets in its strings replaced."""
        if isinstance(value, str):
            for pattern in self._patterns:
                value = pattern.sub(MASK, value)
            return value
        if isinstance(value, dict):
            return {self.mask(key): self.mask(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.mask(item) for item in value]
        return value
