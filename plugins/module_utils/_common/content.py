# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What an answer of unknown form holds: JSON, lines of JSON, or a text. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from .._client.redaction import redacted

JSON, JSON_LINES, TEXT = "json", "json_lines", "text"


class Content(NamedTuple):
    """``value`` is what was read (a list for lines of JSON), ``text`` how it came."""

    kind: str
    value: Any
    text: str

    def without_secrets(self, mask: Callable[[str], str] = str) -> Content:
        """Return the content without what is secret by its name, or by ``mask``. Without any, it stays as it came."""
        value = redacted(self.value)
        if value == self.value:
            return self._replace(text=mask(self.text))
        if self.kind == TEXT:
            return Content(TEXT, value, mask(value))
        lines = value if self.kind == JSON_LINES else [value]
        text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
        return Content(self.kind, value, mask(text))


def read_content(body: bytes) -> Content | None:
    """Return what ``body`` holds, None if it is not a text in UTF-8. Nothing at all is an empty text."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    # Exports may begin with a line "// Host name: ..." (docs/enterprise_manager_api.md, 10.1).
    found = _parsed(text.partition("\n")[2] if text.startswith("//") else text)
    if found:
        return Content(JSON, found[0], text)
    # Not splitlines: it would split at signs that may stand inside of a JSON text.
    lines = [_parsed(line) for line in text.split("\n") if line.strip()]
    if lines and all(lines):
        return Content(JSON_LINES, [value for line in lines if line for value in line], text)
    return Content(TEXT, text, text)


def _parsed(text: str) -> tuple[Any] | None:
    """Return the JSON value in a text, in a tuple: it may be null."""
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError):
        return None
