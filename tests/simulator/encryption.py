# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypted passwords as exported definitions carry them: text in braces that only its own server can read.

Not real cryptography: it only behaves like it. Another master key gives other text and can't read the old one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Any

_SECRET = re.compile(
    r"(password|passphrase|secret|appkey|accountkey|accesskey|encryptionkey|jsoncredentials)$|^securitydbencryption",
    re.IGNORECASE,
)
_WRAPPED = re.compile(r"\{([A-Za-z0-9+/]{32,}={0,2})\}")
_NONCE, _MARK = 16, 8


def is_secret(key: str) -> bool:
    """Whether a setting of this name holds a secret (assumption: the name shows it)."""
    return bool(_SECRET.search(key.replace("_", "")))


def is_encrypted(value: Any) -> bool:
    """Whether a value looks encrypted."""
    return isinstance(value, str) and _WRAPPED.fullmatch(value) is not None


def encrypt(clear: str, master_key: str, fresh: bool) -> str:
    """Text in braces; the same each time, unless it is to be `fresh`."""
    key = master_key.encode()
    nonce = secrets.token_bytes(_NONCE) if fresh else hashlib.sha256(key + b"/" + clear.encode()).digest()[:_NONCE]
    plain = clear.encode()
    mark = hmac.digest(key, nonce + plain, "sha256")[:_MARK]
    return "{" + base64.b64encode(nonce + mark + _mixed(plain, key, nonce)).decode() + "}"


def decrypt(value: str, master_key: str) -> str | None:
    """The clear text; None if it was encrypted with another master key."""
    match, key = _WRAPPED.fullmatch(value), master_key.encode()
    if match is None:
        return None
    try:
        data = base64.b64decode(match[1], validate=True)
    except binascii.Error:
        return None
    nonce, mark, mixed = data[:_NONCE], data[_NONCE : _NONCE + _MARK], data[_NONCE + _MARK :]
    plain = _mixed(mixed, key, nonce)
    return plain.decode() if hmac.compare_digest(mark, hmac.digest(key, nonce + plain, "sha256")[:_MARK]) else None


def sealed(settings: Any, master_key: str, fresh: bool) -> Any:
    """A copy of an endpoint's settings as they are exported: every secret encrypted."""
    return _over_secrets(settings, lambda value: value if is_encrypted(value) else encrypt(value, master_key, fresh))


def opened(settings: Any, master_key: str) -> Any:
    """A copy of imported settings: what this server can read is clear text; what it can't stays as it is."""
    return _over_secrets(settings, lambda value: (decrypt(value, master_key) or value) if value else value)


def unreadable(settings: Any) -> bool:
    """Whether stored settings hold a secret that another server encrypted."""
    found: list[str] = []
    _over_secrets(settings, lambda value: found.append(value) or value)  # type: ignore[func-returns-value]
    return any(is_encrypted(value) for value in found)


def _over_secrets(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {
            key: change(item) if is_secret(key) and isinstance(item, str) else _over_secrets(item, change)
            for key, item in value.items()
        }
    return [_over_secrets(item, change) for item in value] if isinstance(value, list) else value


def _mixed(data: bytes, key: bytes, nonce: bytes) -> bytes:
    stream = b""
    while len(stream) < len(data):
        stream += hashlib.sha256(key + nonce + len(stream).to_bytes(4, "big")).digest()
    return bytes(left ^ right for left, right in zip(data, stream))
