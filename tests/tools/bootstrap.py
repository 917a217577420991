# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find, once, what the sessions need to know of this machine: Pythons that run, a sound PATH, the settings of pip."""

from __future__ import annotations

import ast
import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / ".build"
# Oldest: what the modules support. Newest: what some ansible-core supports.
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
# A virtual environment is not a base to build on, and some distributions leave out what venv needs.
QUESTION = """\
import ensurepip, os, ssl, sys, venv
assert sys.prefix == sys.base_prefix
print('%d.%d' % sys.version_info[:2], os.path.realpath(sys.executable))"""


def ask(python: Path, question: str = "print()") -> str:
    """Return what an interpreter answers; nothing if it does not work."""
    try:
        command = [str(python), "-c", question]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def find_pythons() -> None:
    """Write .build/pythons, with a link for each version, and .build/path.

    Version managers put stubs on PATH that exit with an error for versions that are not selected, and ansible-test
    takes such a stub for an interpreter: folders with an interpreter that fails are left out.
    """
    path = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    managed = sorted(versions.glob("*/bin"), key=lambda folder: [*map(int, re.findall(r"\d+", folder.parent.name))])
    links = BUILD / "pythons"
    links.mkdir(parents=True, exist_ok=True)
    for version in VERSIONS:
        for python in [*(folder / f"python{version}" for folder in [*path, *reversed(managed)]), Path(sys.executable)]:
            found, _space, real = ask(python, QUESTION).strip().partition(" ")
            if found == version:
                (links / f"python{version}").symlink_to(real)
                break
    sound = [str(folder) for folder in path if all(map(ask, folder.glob("python[23].*[0-9]")))]
    (BUILD / "path").write_text(os.pathsep.join([str(links), *sound]))


def write_pip_settings() -> None:
    """Write .build/pip.conf: all that is set for pip here. ansible-test hands hardly any variable to its own pip."""
    settings = configparser.RawConfigParser()
    settings["global"] = {}
    variables = {"cert": ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), "proxy": ("https_proxy", "HTTPS_PROXY")}
    for key, names in variables.items():
        if value := next(filter(None, map(os.environ.get, names)), None):
            settings["global"][key] = value
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    # Later sources come later in the list and win, the variables (":env:") last.
    for section, key, value in re.findall(r"^(\S+)\.([\w-]+)=(.+)$", listing.stdout, re.MULTILINE):
        section = "global" if section == ":env:" else section
        if key not in ("config-file", "require-virtualenv"):
            settings.read_dict({section: {key: ast.literal_eval(value)}})
    # ansible-test makes some twenty environments for each core: less talk.
    settings["global"].setdefault("quiet", "1")
    # It may hold the password of a package index.
    with open(os.open(BUILD / "pip.conf", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        settings.write(file)


if __name__ == "__main__":
    find_pythons()
    write_pip_settings()
