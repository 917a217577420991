# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which ansible-core releases the collection is tested with, and on which Python of this machine each runs."""

from __future__ import annotations

from dataclasses import dataclass

from . import pythons


@dataclass(frozen=True)
class Core:
    """A release of ansible-core and the Pythons it runs on, preferred first."""

    series: str
    release: str
    controllers: tuple[str, ...]

    @property
    def python(self) -> str | None:
        """The version of Python it runs on here."""
        return next((version for version in self.controllers if version in pythons.interpreters()), None)


# The oldest that requires_ansible allows, the middle one, the newest.
# Exact releases: a new one must not break the build.
CORES = (
    Core("2.16", "2.16.19", ("3.11", "3.12", "3.10")),
    Core("2.19", "2.19.14", ("3.11", "3.12", "3.13")),
    Core("2.21", "2.21.5", ("3.12", "3.13", "3.14")),
)


def available() -> list[Core]:
    """The cores that run on a Python of this machine."""
    return [core for core in CORES if core.python]


def broadest() -> Core:
    """The core that runs the unit tests under every Python that modules support: the newest knows most of them."""
    return available()[-1]


def by_series(series: str) -> Core:
    """The core of a series, or an explanation why there is none."""
    core = next((core for core in CORES if core.series == series), None)
    if core is None:
        raise SystemExit(
            f"ansible-core {series} is not one of those tested: {', '.join(core.series for core in CORES)}"
        )
    if core.python is None:
        raise SystemExit(
            f"ansible-core {series} needs Python {' or '.join(core.controllers)}; none of them is on this machine"
        )
    return core


def report() -> list[str]:
    """What is tested here and what is not, with the reason."""
    found = pythons.interpreters()
    lines = ["Pythons: " + ", ".join(found)]
    missing = [version for version in pythons.VERSIONS if version not in found]
    if missing:
        lines.append(f"Pythons skipped, not on this machine: {', '.join(missing)}")
    for core in CORES:
        if core.python:
            lines.append(f"ansible-core {core.release} on Python {core.python}")
        else:
            lines.append(f"ansible-core {core.release} skipped: needs Python {' or '.join(core.controllers)}")
    return lines


if __name__ == "__main__":
    print("\n".join(report()))
