# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of every module try: at least one case for each module and state, in the files cases_*.py."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle


def nothing(_em: Handle) -> None:
    """Leave the stand-in as new."""


@dataclass(eq=False)  # each is a case of its own, and may be a key
class Case:
    """A run of a module on the stand-in as ``prepare`` leaves it.

    In ``options`` the text ``{folder}`` stands for an empty folder, ``{address}`` for the address of the stand-in, and
    ``{session_id}`` for an open session. ``changes`` is whether the first real run changes something, ``again`` whether
    a second one does (as the module's attributes say; a file may differ then), and ``is_file_only`` whether what
    changes is a file here and nothing there. ``is_sent_again`` is whether the second run writes although nothing
    changes by it. ``has_diff`` is whether a change has a diff, and ``is_diff_foreseen`` whether check mode knows it
    (no: as the attributes say). The user is the admin.
    """

    module: str
    options: dict[str, Any]
    prepare: Callable[[Handle], Any] = nothing
    changes: bool = True
    again: bool = False
    is_file_only: bool = False
    is_sent_again: bool = False
    is_diff_foreseen: bool = True
    has_diff: bool = True

    def __str__(self) -> str:
        state = self.options.get("state")
        return f"{self.module}-{state}" if isinstance(state, str) else self.module


def all_cases() -> list[Case]:
    """Return the cases of all files."""
    files = sorted(Path(__file__).parent.glob("cases_*.py"))
    return [case for path in files for case in importlib.import_module(f"{__package__}.{path.stem}").CASES]


def filled(value: Any, values: dict[str, str]) -> Any:
    """Return the options with what is known only now."""
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, dict):
        return {key: filled(item, values) for key, item in value.items()}
    return [filled(item, values) for item in value] if isinstance(value, list) else value
