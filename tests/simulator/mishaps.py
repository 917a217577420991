# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a fault on the connection: broken, partial and endless answers as raw bytes."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any

from aiohttp import web

from . import answers, faults
from .answers import Answer

_CHECK = 0.05  # seconds between two checks whether the client has left
_BLOCK = b"x" * 65536


class Sent(web.StreamResponse):
    """A response that aiohttp takes for sent; it then closes the connection, unless `keep` is true."""

    def __init__(self, keep: bool = False) -> None:
        super().__init__()
        self._keep = keep

    @property
    def keep_alive(self) -> bool:
        """Whether the connection stays open."""
        return self._keep

    async def prepare(self, _request: web.BaseRequest) -> None:
        """Nothing to prepare."""

    async def write_eof(self, _data: bytes = b"") -> None:
        """Nothing to write."""


def altered(fault: Any, answer: Answer) -> Answer | None:
    """What the client gets instead of `answer`, if that is a well-formed answer; else None."""
    if isinstance(fault, faults.Status):
        page = answers.page(fault.status, fault.body)
        page.headers.update({key: str(value) for key, value in fault.headers.items()})
        if fault.status in (204, 304):
            page.body = b""  # these have none, by HTTP
        return page
    if isinstance(fault, faults.BadJson):
        return Answer(200, answers.json_answer(None).headers, fault.body.encode())
    if isinstance(fault, faults.Truncated) and fault.length == "right":
        return Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
    if isinstance(fault, faults.Html):
        return answers.page(200, fault.body)
    if isinstance(fault, faults.Empty):
        return Answer(200, answers.json_answer(None).headers)
    if isinstance(fault, faults.Redirect):
        page = answers.page(fault.status)
        page.headers["Location"] = fault.location
        return page
    if isinstance(fault, faults.Error):
        body = {"error_code": fault.error_code, "error_message": fault.error_message}
        result = answers.json_answer(body, fault.http_status)
        result.error_code = fault.error_code
        return result
    if isinstance(fault, faults.Answer):
        return answers.json_answer(fault.json)
    return None


async def spoil(request: web.BaseRequest, fault: Any, answer: Answer) -> None:
    """Send what `fault` makes of `answer`, as far as it is not a well-formed answer. The caller closes."""
    if isinstance(fault, (faults.CutBefore, faults.CutAfter)):
        cut(request, fault.how)
    elif isinstance(fault, faults.CutMidway):
        head = answer.head()
        await write(request, head[: len(head) // 2] if fault.part == "headers" else head + _half(answer))
        cut(request, fault.how)
    elif isinstance(fault, faults.Truncated):
        await write(request, answer.head() + _half(answer))
    elif isinstance(fault, faults.Garbage):
        await write(request, fault.text.encode("latin-1", "replace"))
    elif isinstance(fault, faults.Endless):
        await _flood(request, fault, answer)
    elif isinstance(fault, faults.Trickle):
        await _trickle(request, fault, answer)
    elif isinstance(fault, faults.Stall):
        await pause(request, min(fault.seconds, faults.LONGEST))
        cut(request, "close")


def cut(request: web.BaseRequest, how: str) -> None:
    """End the connection at once: "close" is a bare TCP end without TLS goodbye, "reset" a TCP reset."""
    transport = request.transport
    if transport is None:
        return
    if how == "reset":
        linger = struct.pack("ii", 1, 0)  # on, 0 s: closing the socket sends RST
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


async def write(request: web.BaseRequest, data: bytes) -> bool:
    """Put raw bytes on the connection; False if the client has left."""
    transport = request.transport
    if transport is None or transport.is_closing():
        return False
    transport.write(data)
    try:
        await request.writer.drain()
    except ConnectionError:
        return False
    return True


async def pause(request: web.BaseRequest, seconds: float) -> bool:
    """Do nothing for a while; False at once when the client leaves."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while (left := end - loop.time()) > 0:
        if request.transport is None or request.transport.is_closing():
            return False
        await asyncio.sleep(min(left, _CHECK))
    return request.transport is not None


def _half(answer: Answer) -> bytes:
    return answer.body[: len(answer.body) // 2]


async def _flood(request: web.BaseRequest, fault: faults.Endless, answer: Answer) -> None:
    """Start like the right answer and never end the first string, so that no parser finds an end early."""
    loop = asyncio.get_running_loop()
    end, sent = loop.time() + min(fault.seconds, faults.LONGEST), 0
    most = min(fault.max_bytes, faults.MOST_BYTES)
    start = json.dumps({"state": "STOPPED", "error_message": ""})[:-2].encode()
    head = Answer(200, {**answer.headers, **({"Transfer-Encoding": "chunked"} if fault.chunked else {})})
    alive = await write(request, head.head(length=-1, close=not fault.chunked) + _framed(start, fault.chunked))
    while alive and sent < most and loop.time() < end:
        block = _BLOCK[: most - sent]
        alive = await write(request, _framed(block, fault.chunked))
        sent += len(block)
        await asyncio.sleep(0)


def _framed(data: bytes, chunked: bool) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data) if chunked else data


async def _trickle(request: web.BaseRequest, fault: faults.Trickle, answer: Answer) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + min(fault.seconds, faults.LONGEST)
    head = answer.head()
    if not fault.headers and not await write(request, head):
        return
    for byte in (head if fault.headers else b"") + answer.body:
        if loop.time() >= end or not await write(request, bytes([byte])):
            return
        if not await pause(request, fault.interval):
            return
