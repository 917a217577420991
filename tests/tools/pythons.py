# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the Python interpreters of this machine that really run."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .layout import BUILD

# Oldest: what the modules support. Newest: what some ansible-core supports.
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


@functools.cache
def interpreters() -> dict[str, Path]:
    """One working interpreter, able to create virtual environments, for each version found."""
    return {version: Path(path) for version, path in _survey()["interpreters"].items()}


@functools.cache
def _survey() -> dict[str, Any]:
    """What was found. To try each interpreter takes seconds, so it is kept until a folder of programs changes."""
    known = BUILD / "pythons.json"
    folders = [str(folder) for folder in (*_path(), _pyenv()) if folder.is_dir()]
    where = [[folder, os.stat(folder).st_mtime_ns] for folder in folders]
    if known.exists():
        survey: dict[str, Any] = json.loads(known.read_text(encoding="utf-8"))
        if survey["where"] == where:
            return survey
    found = {}
    for version in VERSIONS:
        working = (path for reported, path in map(_probe, _candidates(version)) if reported == version)
        if path := next(working, None):
            found[version] = str(path)
    survey = {"where": where, "interpreters": found, "sound": [str(folder) for folder in _path() if _sound(folder)]}
    BUILD.mkdir(exist_ok=True)
    partial = known.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(survey), encoding="utf-8")
    partial.replace(known)
    return survey


def _pyenv() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"


def _candidates(version: str) -> Iterator[Path]:
    yield from (folder / f"python{version}" for folder in _path())
    yield from sorted(_pyenv().glob(f"{version}.*/bin/python{version}"), key=_numbers, reverse=True)
    yield from (folder / "python3" for folder in _path())


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]


@functools.cache
def _probe(path: Path) -> tuple[str, Path]:
    """The version of an interpreter and its real path; no version if it is of no use here."""
    # A virtual environment is no base to build on, and some distributions leave out what venv needs.
    question = (
        "import ensurepip, os, ssl, sys, venv\n"
        "assert sys.prefix == sys.base_prefix\n"
        "print('%d.%d' % sys.version_info[:2], os.path.realpath(sys.executable))"
    )
    try:
        answer = subprocess.run(
            [str(path), "-c", question], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return "", path
    version, real = answer.strip().split(" ", 1)
    return version, Path(real)


def _sound(folder: Path) -> bool:
    """Whether all interpreters in a folder of PATH run."""
    return all(_succeeds([str(path), "-c", ""]) for path in folder.glob("python[23].*[0-9]"))


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _path() -> list[Path]:
    return [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]


@functools.cache
def search_path() -> str:
    """PATH with the interpreters found first, and without folders whose interpreters fail.

    Version managers put stubs on PATH that exit with an error for versions that are not selected;
    ansible-test takes such a stub for an interpreter.
    """
    folder = BUILD / "pythons"
    folder.mkdir(parents=True, exist_ok=True)
    for version, path in interpreters().items():
        link = folder / f"python{version}"
        if not link.is_symlink() or link.readlink() != path:
            link.unlink(missing_ok=True)
            link.symlink_to(path)
    return os.pathsep.join([str(folder), *_survey()["sound"]])
