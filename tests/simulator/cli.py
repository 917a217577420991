# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: start, say where, run until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import certificates
from .checks import InputError
from .server import Settings, Simulator

WhenReady = Callable[[str, dict[str, Any]], None]  # gets what a user is shown, and where the stand-in is

_PARENT_CHECK = 0.3  # seconds between two checks whether the parent process lives


def parser() -> argparse.ArgumentParser:
    """All options."""
    name = Path(sys.argv[0]).name
    result = argparse.ArgumentParser(
        prog=name if name != "__main__.py" else f"python -m {__package__}",
        description="A stand-in Qlik Enterprise Manager for tests. Listens on this machine's loopback address only.",
    )
    add = result.add_argument
    add("--host", default="127.0.0.1", help="loopback address to listen on (default: %(default)s)")
    add("--port", type=int, default=0, help="port of the API (default: any free one)")
    add("--control-port", type=int, default=0, help="port of the control address (default: any free one)")
    add("--state", metavar="FILE", help="state document, YAML or JSON (default: the built-in one)")
    add("--faults", metavar="FILE", help="fault plan, YAML or JSON")
    add("--idle-seconds", type=float, help="life of a session after its last request (default: 300)")
    add("--no-transient", action="store_true", help="never show STARTING and STOPPING")
    add("--no-task-stop-reason", action="store_true", help="leave task_stop_reason out of the details of a task")
    add("--server-details-key", choices=("server_details", "serverDetails"), help="spelling of the envelope")
    add("--certificate", choices=certificates.KINDS, default="good", help="what is wrong with the certificate")
    add("--client-cert", action="store_true", help="clients must show a certificate (written next to the CA)")
    add("--tls-dir", metavar="DIR", help="folder for the CA and certificates (default: a temporary one)")
    add("--ready-file", metavar="PATH", help="write addresses and credentials here as JSON when ready")
    add("--background", action="store_true", help="return when ready and print what the ready file holds; go on alone")
    add("--paste", action="append", default=[], metavar="LINE", help="a further line to print for pasting")
    add("--lifetime", type=float, metavar="SECONDS", help="end after so long, whoever is still there")
    add("--die-with-parent", action="store_true", help="end when the process that started this one has ended")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal, POST /shutdown, or the parent's death."""
    given = parser().parse_args(arguments)
    return _in_background(given) if given.background else _run(given, show)


def show(text: str, _access: dict[str, Any]) -> None:
    """Say where the stand-in is."""
    print(text, flush=True)


def _run(given: argparse.Namespace, when_ready: WhenReady) -> int:
    try:
        asyncio.run(_serve(given, when_ready))
    except (InputError, OSError) as error:
        print(f"The stand-in can't start: {error}", file=sys.stderr)
        return 2
    return 0


def _in_background(given: argparse.Namespace) -> int:
    """Run in a process of its own, which has no terminal; return when it is ready, or has failed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        with open(reader, encoding="utf-8") as file:
            access = file.read()
        print(access, end="", flush=True)
        return 0 if access else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(reader)
    os.setsid()

    def when_ready(_text: str, access: dict[str, Any]) -> None:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):  # who reads them waits for the end of all that hold them
            os.dup2(nowhere, standard)
        os.close(nowhere)
        with open(writer, "w", encoding="utf-8") as file:
            file.write(_document(access))

    os._exit(_run(given, when_ready))  # the rest of the program is the parent's


async def _serve(given: argparse.Namespace, when_ready: WhenReady) -> None:
    simulator = Simulator(
        Settings(
            host=given.host,
            port=given.port,
            control_port=given.control_port,
            state=given.state,
            faults=given.faults,
            idle_seconds=given.idle_seconds,
            show_transient=False if given.no_transient else None,
            task_stop_reason=False if given.no_task_stop_reason else None,
            server_details_key=given.server_details_key,
            certificate=given.certificate,
            client_cert=given.client_cert,
            tls_dir=given.tls_dir,
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, simulator.stopped.set)
    parent = os.getppid()  # asked before anything else happens, or a parent that ends at once would be missed
    await simulator.start()
    ready_file = Path(given.ready_file) if given.ready_file else None
    try:
        access = {**simulator.access(), "pid": os.getpid()}
        if ready_file:
            _write_ready_file(ready_file, access)
        when_ready(welcome(access, simulator.logins(), given.paste), access)
        if given.lifetime:
            loop.call_later(given.lifetime, simulator.stopped.set)
        if given.die_with_parent:
            await _until_orphaned(simulator.stopped, parent)
        else:
            await simulator.stopped.wait()
    finally:
        if ready_file:
            ready_file.unlink(missing_ok=True)
        await simulator.stop()


def welcome(access: dict[str, Any], logins: dict[str, str], paste: Sequence[str]) -> str:
    """What is printed when ready. Goes to standard output only, and holds test credentials only."""
    exports = {
        "QLIK_EM_URL": access["url"],
        "QLIK_EM_CA_PATH": access["ca_path"],
        "QLIK_EM_USERNAME": access["username"],
        "QLIK_EM_PASSWORD": access["password"],
        "QLIK_EM_CLIENT_CERT": access["client_cert"],
        "QLIK_EM_CLIENT_KEY": access["client_key"],
    }
    lines = [
        f"Stand-in Enterprise Manager: {access['url']}",
        f"CA certificate:              {access['ca_path']}",
        f"Control address:             {access['control_url']}",
        f"User and password:           {access['username']} / {access['password']}",
        *(f"{f'The same, {role}:':<29}{login}" for role, login in logins.items()),
        "",
        "Paste into another shell:",
        *(f"  export {key}={_quoted(value)}" for key, value in exports.items() if value),
        *(f"  {line}" for line in paste),
        "",
        "Ctrl-C ends it.",
    ]
    return "\n".join(lines)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\"'\"'") + "'"


def _write_ready_file(path: Path, access: dict[str, Any]) -> None:
    """All or nothing: a reader never sees half a file."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(_document(access), encoding="utf-8")
    part.replace(path)


def _document(access: dict[str, Any]) -> str:
    return json.dumps(access, indent=2) + "\n"


async def _until_orphaned(stopped: asyncio.Event, parent: int) -> None:
    while not stopped.is_set() and os.getppid() == parent:
        try:
            await asyncio.wait_for(stopped.wait(), _PARENT_CHECK)
        except asyncio.TimeoutError:
            continue
