# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Secrets in what the API takes and gives: by the name of a member, encrypted, or inside a text. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from .connection import MASK

LEAST_DIGITS = 4  # a number with fewer may stand anywhere

# The names are an assumption; no guide lists them (docs/enterprise_manager_api.md, 9.6). What follows a word may only
# say more of the same secret: accountKeyType, privateKeyFile or tokenCaching hold none.
SECRET_NAME = re.compile(
    r"(?:"
    r"(?:passwords?|passwds?|passphrases?|passcodes?|pwds?|secrets?|credentials?|connectionstrings?|keytab|jwt)"
    r"|(?<!name)(?<!file)(?<!path)(?<!topic)(?<!field)(?<!table)token"
    r"|(?:private|access|api|account|app|encryption|decryption|shared|secret|storage|master|subscription|signing"
    r"|symmetric|sas|auth|security)keys?"
    r"|(?:session|apisession)id|authorization(?:header)?"
    r")(?:value|text|string|data|content|hash|old|new|current|clear|plain|encrypted)?\d*$"
    r"|^securitydbencryption"
)
# A secret as an export carries it; a GUID in braces has hyphens (docs/enterprise_manager_api.md, 9.6).
ENCRYPTED = re.compile(r"\{[A-Za-z0-9+/=]{17,}\}")
# Where a secret may stand in a text: NAME=value of a connection string or a URL, a member of JSON that is broken or
# cut, the login in a URL, and what follows the scheme of an Authorization header. Each part has a length, or a text
# full of quotes that never close would be searched up to its end from each of them.
IN_TEXT = re.compile(
    r'"(?P<member>(?:[^"\\]|\\.){0,100})"\s*:\s*(?=")'
    r"|(?<![\w.-])(?P<name>(?:[A-Za-z][\w.-]{,40} )?[A-Za-z][\w.-]*)\s*=\s*"
    r"|://[^\s:/@]*:(?P<login>[^\s/@]+)(?=@)"
    r"|\b(?:Bearer|Basic)\s+(?P<header>[\w.~+/<>-]{8,}=*)",
    re.IGNORECASE,
)
# In quotes, in the braces of ODBC, or up to the next separator.
VALUE = re.compile(
    r"\"((?:[^\"\\]|\\.){0,10000})\""
    r"|'((?:[^'\\]|\\.){0,10000})'"
    r"|\{(?=[^}]{0,500}\})((?:[^}]|\}\}){0,500})\}"
    r"|((?:(?!&[\w.%-]+=)[^;\r\n])*)"
)
ENCRYPTED_VALUE = re.compile(rf"([\"']?)({ENCRYPTED.pattern})\1")
SIGNATURE = "sig"  # of a URL that is signed; as the name of a member it is too short to mean one
Cover = Callable[[str], str]


def is_secret_name(name: Any) -> bool:
    """Return whether a member of this name holds a secret."""
    return isinstance(name, str) and SECRET_NAME.search(re.sub(r"[^A-Za-z0-9]", "", name).lower()) is not None


def is_encrypted(value: Any) -> bool:
    """Return whether a value is a text in braces, as a server exports a secret."""
    return isinstance(value, str) and ENCRYPTED.fullmatch(value) is not None


def redacted(value: Any, cover: Cover = lambda _secret: MASK, by_name: bool = True) -> Any:
    """Return a copy of ``value`` (any nesting, JSON in texts too) each secret replaced by what ``cover`` returns.

    All below a name of a secret is one. Without ``by_name`` only what is encrypted is.
    """
    if isinstance(value, dict):
        return {
            name: covered(item, cover)
            if by_name and is_secret_name(named(value, name))
            else redacted(item, cover, by_name)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [redacted(item, cover, by_name) for item in value]
    if not isinstance(value, str):
        return value
    if is_encrypted(value):
        return cover(value)
    return _redacted_text(value, cover) if by_name else value


def covered(value: Any, cover: Cover) -> Any:
    """Return a copy of ``value``, all texts and numbers of which are secret."""
    if isinstance(value, dict):
        return {name: covered(item, cover) for name, item in value.items()}
    if isinstance(value, list):
        return [covered(item, cover) for item in value]
    return cover(str(value)) if value not in (None, "") and not isinstance(value, bool) else value


def secret_texts(value: Any, by_name: bool = True) -> Iterator[str]:
    """Yield each text in ``value`` that ``redacted`` would replace, but for small numbers: they may stand anywhere."""
    for secret in noted(lambda cover: redacted(value, cover, by_name)):
        if not secret.isdigit() or len(secret) >= LEAST_DIGITS:
            yield secret


def leaves(value: Any) -> list[str]:
    """Return each text and number of a value (any nesting), as text: all of it is secret."""
    return noted(lambda cover: covered(value, cover))


def noted(cover_all: Callable[[Cover], object]) -> list[str]:
    """Return each secret that ``cover_all`` covers."""
    found: list[str] = []

    def note(secret: str) -> str:
        found.append(secret)
        return ""

    cover_all(note)
    return found


def named(members: dict[Any, Any], name: Any) -> Any:
    """Return the name of what a member holds: a pair like {"name": "password", "value": ...} has one of its own."""
    return members.get("name", members.get("key")) if name == "value" else name


def _redacted_text(text: str, cover: Cover) -> str:
    inner = _json_in(text)
    if inner is not None:
        cleaned = redacted(inner, cover)
        return text if cleaned == inner else json.dumps(cleaned, ensure_ascii=False)
    pieces, end = [], 0
    for begin, stop, _name in secrets_in_text(text):
        pieces += [text[end:begin], cover(text[begin:stop])]
        end = stop
    return "".join([*pieces, text[end:]])


def secrets_in_text(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where each secret in a text begins and ends, without quotes around it, and the name that it has there."""
    at = 0
    while match := IN_TEXT.search(text, at):
        at = match.end()
        if match["login"] or match["header"]:
            kind = "login" if match["login"] else "header"
            yield (*match.span(kind), kind)
            continue
        name = match["name"] or match["member"]
        # Not VALUE for all: each of many names would be searched up to the end of its value.
        form = VALUE if is_secret_name(name) or name.lower() == SIGNATURE else ENCRYPTED_VALUE
        value = form.match(text, at)
        if value:
            begin, stop = _inner(value)
            if begin < stop:
                yield begin, stop, name
                at = value.end()


def _inner(value: re.Match[str]) -> tuple[int, int]:
    """Return where a value begins and ends without what encloses it; the braces belong to one that is encrypted."""
    return value.span() if is_encrypted(value[0]) else value.span(value.lastindex or 0)


def _json_in(text: str) -> Any:
    """Return the JSON object or list that ``text`` is, None if it is not one."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    return None
