# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""An audit trail in a file, without its secrets: record by record, as it may be longer than the memory."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, TextIO

from .._client.client import Client
from .._client.errors import AemError
from .._client.redaction import redacted
from .._common.content import JSON, JSON_LINES, TEXT, read_content

BLOCK = 256 * 1024  # characters that are read at a time
LONGEST = 8 * 1024 * 1024  # characters of one record; what has a longer one is read as a whole
START = re.compile(r"(?://[^\n]*\n)?[ \t\r\n]*\[[ \t\r\n]*")
BETWEEN = re.compile(r"[ \t\r\n,\]]*")
SHORTER = "Request a shorter time span: narrow start and end."
decode = json.JSONDecoder().raw_decode


class NotInPieces(ValueError):
    """The trail cannot be read in this way."""


def clean(raw: BinaryIO, to: BinaryIO, client: Client) -> str | None:
    """Write what ``raw`` holds to ``to``, without secrets, and return its kind; None if it is not a text in UTF-8.

    A record without secrets stays as it is. Raises AemError if the trail is longer than what fits into the
    memory and cannot be parted into records, Interrupted.
    """
    text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="\n")
    try:
        kind, records = _reader(text)
        text.seek(0)
        for piece in records(text):
            client.interrupt.check()  # a long trail takes minutes
            to.write(encoded(piece_without_secrets(piece, client.masked)))
        return kind
    except UnicodeDecodeError:
        return None
    except NotInPieces:
        size = raw.seek(0, os.SEEK_END)
        if size > client.limits.export_size:
            why = f"The audit trail ({size // 2**20} MB) is neither a JSON list nor JSON lines."
            raise AemError(why, SHORTER) from None
        raw.seek(0)
        content = read_content(raw.read())
        if content is not None:
            to.write(encoded(content.without_secrets(client.masked).text))
        return content and content.kind
    finally:
        text.detach()


def encoded(text: str) -> bytes:
    """Return a text as a file holds it. Half of a character, which JSON can write, stays as JSON writes it."""
    return text.encode("utf-8", "backslashreplace")


def piece_without_secrets(piece: str, mask: Callable[[str], str]) -> str:
    """Return one record, or what stands between two, without secrets."""
    found = _value(piece)
    if found is None:
        return mask(redacted(piece))
    value = redacted(found[0])
    if value == found[0]:
        return mask(piece)
    end = piece[len(piece.rstrip()) :]
    return mask(json.dumps(value, ensure_ascii=False)) + end


def _reader(text: TextIO) -> tuple[str, Callable[[TextIO], Iterator[str]]]:
    """Return the kind of a trail, and what reads its pieces."""
    try:
        for _piece in elements(text):
            pass
        return JSON, elements
    except NotInPieces:
        text.seek(0)
    begin, count, are_json = "", 0, True
    for line in lines(text):
        begin = begin or line.lstrip()[:1]
        if line.strip():
            count, are_json = count + 1, are_json and _value(line) is not None
    if count and are_json:
        return JSON if count == 1 else JSON_LINES, lines
    if begin in ("{", "[", "/"):  # an object in many lines, as it seems
        raise NotInPieces
    return TEXT, paragraphs


def elements(text: TextIO) -> Iterator[str]:
    """Yield each element of a list in JSON, and what stands before and after; raise NotInPieces if it is not one."""
    window = _Window(text)
    yield window.take(START)
    is_first = True
    while True:
        between = window.take(BETWEEN)
        signs = "".join(between.split())
        yield between
        if signs == "]" and window.is_over:
            return
        if signs != ("" if is_first else ","):
            raise NotInPieces
        is_first = False
        yield window.take_value()


def lines(text: TextIO) -> Iterator[str]:
    """Yield each line with its end; raise NotInPieces if one is too long."""
    while line := text.readline(LONGEST):
        if len(line) == LONGEST:
            raise NotInPieces
        yield line


def paragraphs(text: TextIO) -> Iterator[str]:
    """Yield lines by the hundreds, and not parted within quotes, in which a secret may have more than one line."""
    kept: list[str] = []
    size = quotes = 0
    for line in lines(text):
        kept.append(line)
        size, quotes = size + len(line), quotes + line.count('"')
        if size > LONGEST or (size > BLOCK and quotes % 2 == 0):
            yield "".join(kept)
            kept, size, quotes = [], 0, 0
    yield "".join(kept)


class _Window:
    """The part of a text that is looked at."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._text, self._at, self.is_over = file, "", 0, False

    def take(self, pattern: re.Pattern[str]) -> str:
        """Return what matches here, and go behind it."""
        while True:
            match = pattern.match(self._text, self._at)
            if (self._text and (match is None or match.end() < len(self._text))) or not self._read():
                break
        if match is None:
            raise NotInPieces
        self._at = match.end()
        return match[0]

    def take_value(self) -> str:
        """Return the text of the JSON value that stands here, and go behind it."""
        while True:
            try:
                end = decode(self._text, self._at)[1]
            except (ValueError, RecursionError):
                end = len(self._text)
                if self.is_over:
                    raise NotInPieces from None
            if end < len(self._text) or not self._read():  # a number may go on
                break
        begin, self._at = self._at, end
        return self._text[begin:end]

    def _read(self) -> bool:
        """Read on, as much again, so that a long value is not looked at too often; return whether there was more."""
        rest = self._text[self._at :]
        if len(rest) > LONGEST:
            raise NotInPieces
        block = self._file.read(max(BLOCK, len(rest)))
        self._text, self._at, self.is_over = rest + block, 0, not block
        return bool(block)


def _value(text: str) -> tuple[Any] | None:
    """Return the JSON value in a text, in a tuple, as it may be null."""
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError):
        return None
