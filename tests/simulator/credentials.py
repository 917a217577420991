# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the login request and finding the user it names. Pure functions."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable
from urllib.parse import parse_qs

from .document_access import User

# One public exporter writes "Basic:" and works in production, so the colon is allowed
# (docs/enterprise_manager_api.md, 2.8).
_BASIC = re.compile(r"basic:?\s+(\S+)\s*", re.IGNORECASE)


def user_of_basic(header: str, users: Iterable[User]) -> User | None:
    """The user of an Authorization header, or None.

    The text inside is UTF-8. A password with a colon can't be used, so a second colon is a refusal
    (docs/enterprise_manager_api.md, 2.4).
    """
    match = _BASIC.fullmatch(header)
    if not match:
        return None
    try:
        name, colon, secret = base64.b64decode(match[1], validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    if not colon or ":" in secret:
        return None
    return next((user for user in users if _is(user, name, secret)), None)


def user_of_form(body: bytes, users: Iterable[User]) -> User | None:
    """The user of a SAMLResponse form (2021 SDK), or None. Other form members are ignored."""
    given = parse_qs(body.decode("utf-8", "replace")).get("SAMLResponse", [""])[0]
    return next((user for user in users if _same(user.saml_response, given)), None)


def _is(user: User, name: str, secret: str) -> bool:
    if name == "api-token":
        return _same(user.api_token, secret)
    if name == "jwt":
        return _same(user.jwt, secret)
    # Assumption: account names are compared without regard to case, as the Windows directory does.
    logins = (login.casefold() for login in user.logins or [user.name])
    return name.casefold() in logins and _same(user.password, secret)


def _same(expected: str | None, given: str) -> bool:
    return expected is not None and hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))
