# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments in the build folder: made when first needed, and again when their requirements change."""

from __future__ import annotations

import ast
import configparser
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import cores, pythons
from .layout import BUILD

REQUIREMENTS = Path(__file__).parent / "requirements"

# The Pythons for everything that is not tied to one ansible-core, preferred first.
PREFERRED = ("3.11", "3.12", "3.13", "3.14")


@dataclass(frozen=True)
class Environment:
    """One virtual environment: what is installed in it, and on which Python."""

    name: str
    python: str
    requirements: Path
    packages: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return BUILD / "venv" / self.name

    @property
    def interpreter(self) -> Path:
        """Its python."""
        return self.folder / "bin" / "python"

    @property
    def home(self) -> Path:
        """A home folder for what runs in it: tools find their caches in there and leave the user's own home alone."""
        return BUILD / "home" / self.name

    def command(self, name: str) -> str:
        """The path of a command that is installed in it."""
        return str(self.folder / "bin" / name)

    def variables(self) -> dict[str, str]:
        """The environment variables for what runs in it: the user's, without those that would change what is tested."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ANSIBLE_", "MOLECULE_", "QLIK_EM_"))
            and name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH")
        }
        kept["PATH"] = os.pathsep.join([str(self.folder / "bin"), pythons.search_path()])
        kept["HOME"] = str(self.home)
        kept["MYPY_CACHE_DIR"] = str(BUILD / "cache" / "mypy")
        kept["RUFF_CACHE_DIR"] = str(BUILD / "cache" / "ruff")
        kept["VIRTUAL_ENV"] = str(self.folder)
        kept.pop("XDG_CACHE_HOME", None)
        kept.pop("XDG_CONFIG_HOME", None)
        if not sys.stdout.isatty():
            kept["NO_COLOR"] = "1"
        if not re.search("utf-?8", kept.get("LC_ALL") or kept.get("LANG") or "", re.IGNORECASE):
            kept["LC_ALL"] = "C.UTF-8"  # Ansible refuses to start in any other encoding
        return kept


def environment(name: str) -> Environment:
    """The definition of an environment: core-SERIES, or the name of a file in the requirements folder."""
    if name.startswith("core-"):
        core = cores.by_series(name.removeprefix("core-"))
        return Environment(name, str(core.python), REQUIREMENTS / "core.txt", (f"ansible-core=={core.release}",))
    python = next((version for version in PREFERRED if version in pythons.interpreters()), None)
    if python is None:
        raise SystemExit(f"Python {' or '.join(PREFERRED)} is needed (with its venv module); none was found on PATH")
    return Environment(name, python, REQUIREMENTS / f"{name}.txt")


def ready(name: str) -> Environment:
    """The environment of this name, created or renewed if need be."""
    wanted = environment(name)
    with _alone(name):
        digest = _digest(wanted)
        if not _is_current(wanted, digest):
            print(f"Creating the environment {name} (Python {wanted.python}) ...", flush=True)
            _create(wanted)
            (wanted.folder / "complete").write_text(digest)
        wanted.home.mkdir(parents=True, exist_ok=True)
        if name.startswith("core-"):
            _write_pip_configuration(wanted)
            _provide_pip_bootstrap(wanted)
    return wanted


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """Steps that run side by side may want the same environment: the first one creates it, the others wait."""
    path = BUILD / "venv" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _digest(wanted: Environment) -> str:
    # An environment does not survive that the checkout is moved.
    state = hashlib.sha256(repr((wanted.python, wanted.packages, str(wanted.folder))).encode())
    for path in _included(wanted.requirements):
        state.update(path.read_bytes())
    return state.hexdigest()


def _included(path: Path) -> Iterator[Path]:
    """A requirements file and those that it refers to."""
    yield path
    for name in re.findall(r"^-[rc] (\S+)", path.read_text(), re.MULTILINE):
        yield from _included((path.parent / name).resolve())


def _is_current(wanted: Environment, digest: str) -> bool:
    stamp = wanted.folder / "complete"
    # The interpreter that it was made from may have been removed since.
    return stamp.exists() and stamp.read_text() == digest and wanted.interpreter.exists()


def _create(wanted: Environment) -> None:
    shutil.rmtree(wanted.folder, ignore_errors=True)
    subprocess.run([str(pythons.interpreters()[wanted.python]), "-m", "venv", str(wanted.folder)], check=True)
    # Python compiles what it imports anyway, and most of what is installed is never imported.
    _pip(wanted, "install", "--quiet", "--no-compile", "--requirement", str(wanted.requirements), *wanted.packages)
    _pip(wanted, "check")


def _pip(wanted: Environment, *arguments: str) -> None:
    done = subprocess.run(
        [wanted.command("pip"), *arguments],
        env=_pip_variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}\npip {arguments[0]} failed in the environment {wanted.name}")


def _pip_variables() -> dict[str, str]:
    """What is set for pip on this machine stays; only the cache goes into the checkout, unless it was put elsewhere."""
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    variables.setdefault("PIP_CACHE_DIR", str(BUILD / "cache" / "pip"))
    variables.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    return variables


def _write_pip_configuration(wanted: Environment) -> None:
    """Hand the machine's settings for pip on: ansible-test passes hardly any environment variable to its pip."""
    listed = subprocess.run(
        [wanted.command("pip"), "config", "list"], env=_pip_variables(), capture_output=True, text=True, check=False
    ).stdout
    settings = configparser.RawConfigParser()
    settings["global"] = {
        key: value
        for key, value in (
            ("cert", os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")),
            ("proxy", os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY")),
        )
        if value
    }
    # Later sources come later in the list and win, the variables (":env:") last.
    for section, key, value in re.findall(r"^(\S+)\.([\w-]+)=(.+)$", listed, re.MULTILINE):
        section = "global" if section == ":env:" else section
        if key in ("config-file", "require-virtualenv"):
            continue
        if section not in settings:
            settings.add_section(section)
        settings[section][key] = ast.literal_eval(value)
    # ansible-test makes some twenty environments for each core: less talk, and no compiling of what is never imported
    # (a falsy value is pip's way to say yes to an option that begins with "no").
    settings["global"].setdefault("quiet", "1")
    if "install" not in settings:
        settings.add_section("install")
    settings["install"].setdefault("no-compile", "no")
    path = wanted.home / ".config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    # It may hold the password of a package index.
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        settings.write(file)


def _provide_pip_bootstrap(wanted: Environment) -> None:
    """Give ansible-test the script from which it installs pip into its environments.

    It downloads the script from a host that is not reachable everywhere, and has no other way. Where the download
    fails, the same version of pip from the package index does the same.
    """
    package = next(wanted.folder.glob("lib/python*/site-packages/ansible_test"))
    setup = (package / "_util/target/setup/requirements.py").read_text(encoding="utf-8")
    pins = (package / "_internal/python_requirements.py").read_text(encoding="utf-8")
    url = re.search(r"url = '(\S+)' % pip_version", setup)
    pin = re.search(r"\bpip='([\d.]+)'", pins)
    if not url or not pin:
        return  # this core works in another way
    version = pin[1]
    script = wanted.home / ".ansible" / "test" / "cache" / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return
    script.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(url[1] % version, timeout=20) as download:
            content = download.read().decode()
    except OSError:
        _pip(
            wanted,
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            str(script.parent),
            f"pip=={version}",
        )
        content = (
            "import runpy\n"
            "import sys\n"
            f"sys.path.insert(0, {str(script.parent / f'pip-{version}-py3-none-any.whl')!r})\n"
            "wanted = [option for option in sys.argv[1:] if option not in ('--no-setuptools', '--no-wheel')]\n"
            "sys.argv = ['pip', 'install', *wanted]\n"
            "runpy.run_module('pip', run_name='__main__', alter_sys=True)\n"
        )
    partial = script.with_suffix(".part")
    partial.write_text(content, encoding="utf-8")
    partial.rename(script)


if __name__ == "__main__":
    for requested in sys.argv[1:]:
        ready(requested)
