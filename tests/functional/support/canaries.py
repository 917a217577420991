# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canaries: secrets that are awkward to hide, the forms in which they may come out, and what finds them."""

from __future__ import annotations

import base64
import functools
import html
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from ansible_collections.dataops.qlik_em.tests.functional.support.play import Outcome

NAME = "operator@corp.example"
# Awkward in URLs, JSON, HTML, Python and shells. A colon is not possible in a password, a blank not in a session id.
CANARIES = {
    "password": "Pw \"q'a\\b%41&c+d/e=f<g>h  ü€ #z",
    "api_token": "Tok'en\\u0041\"%2B&x+/y==<ß> 7",
    "jwt": "eyJ.+a/b=c%<j'w\"t>\\é&.zz 9",
    "session_id": "Sess%20'i\"d\\+/=<&>;x4711",
    "proxy": "Pr0x'y\"\\%25&+/=<@ü€> pass",
}
USERS = {"password": NAME, "api_token": "api-token", "jwt": "jwt", "session_id": "", "proxy": "joe"}
# The secrets of single modules. A licence is secret in each of its lines and values, so that no "=" may cut this one.
OWN = {
    "server_password": "Srv \"k'l\\m%42&n+o/p=q<r>s  ä€ #y",
    "license": "Lic 1\"t'u\\v%43&w+x/y<z>a  ö€ #x",
    "endpoint secret": "Pin%24'h\"ij\\+/=[&]|k4712 é",
    "endpoint setting": "Opt'en\"%2D&b+/c==<ß> 0815",
    "definition": "Sh0p 'd\"\\%44&+/e=<ü€> secret",
    "body": "B0dy \\u0042'f\"%45&+/g=<æ> 42",
    "number": "4711081547",
}
EVERY = {**CANARIES, **OWN}


def _twice(text: str) -> set[str]:
    """Return a text in the spellings of a percent-encoded one."""
    return {text, text.lower(), quote(text, safe=""), quote(text, safe="").lower()}


def forms(secret: str, user: str) -> dict[str, str]:
    """Return the forms in which a secret may come out: {form: what it is}."""
    found = {secret: "plain", secret.encode().decode("latin-1"): "UTF-8 read as Latin-1"}
    for safe in ("", "/", "!'()*~", "-_.!~*'()", "!$&'()*+,;=:@/?"):
        found.update(dict.fromkeys(_twice(quote(secret, safe=safe)), "in a URL"))
    found.update(dict.fromkeys(_twice(quote_plus(secret)), "in a form"))
    for clear in (secret, f"{user}:{secret}"):
        for encoded in (base64.b64encode(clear.encode()), base64.urlsafe_b64encode(clear.encode())):
            text = encoded.decode()
            found.update({text: "Base64", text.rstrip("="): "Base64", quote(text, safe=""): "Base64 in a URL"})
    for ascii_only in (True, False):
        in_json = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        found.update({in_json: "JSON", in_json.replace("/", "\\/"): "JSON", json.dumps(in_json)[1:-1]: "JSON in JSON"})
        found[json.dumps(in_json, ensure_ascii=False)[1:-1]] = "JSON in JSON"
        found[repr(in_json)[1:-1]] = "repr of JSON"
    for text in (repr(secret), repr(secret.encode()), repr([secret, "'\""]), repr(f"{secret}'\"")):
        found[text] = "repr"
    found[repr(secret)[1:-1]] = found[repr(secret.encode())[2:-1]] = "repr"
    found[repr(secret + "'\"")[1:-4]] = "repr"  # with both kinds of quotes in the text around
    for text in (html.escape(secret), html.escape(secret, quote=False), html.escape(secret).replace("&#x27;", "&#39;")):
        found[text] = "HTML"
    return found


def _pieces(secret: str, length: int = 9) -> dict[str, str]:
    """Return all pieces of the plain secret of this length: half of it must not come out either."""
    return {secret[start : start + length]: "a piece" for start in range(len(secret) - length + 1)}


@functools.cache
def _sought(secret: str, user: str) -> dict[str, str]:
    return {**_pieces(secret), **forms(secret, user)}


def leaks(text: str, names: Iterable[str] = tuple(CANARIES)) -> list[str]:
    """Return what of the canaries of these names is in a text."""
    return [
        f"{name}, {kind}: {form}"
        for name in names
        for form, kind in _sought(EVERY[name], USERS.get(name, "")).items()
        if form in text
    ]


def strings(value: Any) -> Iterator[str]:
    """Yield all strings and numbers in a result, as strings."""
    if isinstance(value, (str, int, float)):
        yield str(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (str(key), *strings(item))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from strings(item)


def contents(folder: Path) -> str:
    """Return the contents of all files in a folder."""
    return "\n".join(path.read_text(errors="replace") for path in sorted(folder.rglob("*")) if path.is_file())


def everything(outcome: Outcome, folder: Path) -> str:
    """Return all that a playbook printed, and the contents of all files that it left."""
    assert (folder / "log").is_file()
    return f"{outcome.text}\n{contents(folder)}"


def lookup(name: str) -> str:
    """Return a template for a canary: a literal one would be shown by Ansible itself."""
    return f"{{{{ lookup('ansible.builtin.env', '{variable(name)}') }}}}"


def variable(name: str) -> str:
    """Return the environment variable that ``lookup`` reads."""
    return f"CANARY_{name.upper().replace(' ', '_')}"


ENVIRON = {
    **{variable(name): value for name, value in EVERY.items()},
    variable("proxy"): quote(CANARIES["proxy"], safe=""),
}
