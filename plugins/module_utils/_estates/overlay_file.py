# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Reading the file of an overlay: JSON, or YAML where PyYAML is there, as it is wherever ansible-core is."""

from __future__ import annotations

import sys
from typing import Any

from .._client.errors import InputError
from .._common.files import read_file
from .._definitions.document import read_part
from .overlay import Overlay, read_overlay

LIMIT = 200_000  # values; aliases of YAML multiply them
DEPTH = 50


def load_overlay(option: str, path: str) -> Overlay:
    """Return the overlay in a file; raise InputError, which names ``option`` and the place of what is odd."""
    label = f"{option} ({path})"
    text = read_file(option, path)
    if text is None:
        raise InputError(f"{label} does not exist.")
    document = read_part(label, "overlay", text) if text.lstrip()[:1] == "{" else _from_yaml(label, text)
    _check_plain(label, document)
    return read_overlay(label, document)


def _from_yaml(label: str, text: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise InputError(
            f"{label} is YAML, and the Python library PyYAML is missing for {sys.executable}.",
            f"Install it there ({sys.executable} -m pip install PyYAML), or write the overlay in JSON.",
        ) from error

    class Loader(yaml.SafeLoader):
        """Refuses a member that stands twice: which of them is meant cannot be known."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[str] = set()
            for key in (key for key, _value in node.value if isinstance(key, yaml.ScalarNode)):
                if key.value in seen and key.value != "<<":
                    why = f'the member "{key.value}" stands twice'
                    raise yaml.constructor.ConstructorError(None, None, why, key.start_mark)
                seen.add(key.value)
            return super().construct_mapping(node, deep=deep)

    try:
        return yaml.load(text, Loader=Loader)  # a kind of safe loader
    except RecursionError as error:
        raise InputError(f"{label} is nested too deeply.") from error
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"{label} is not YAML{where}: {problem or type(error).__name__}.") from None


def _check_plain(label: str, document: Any) -> None:
    """Raise InputError for what JSON does not have, such as dates, and for what grows without end by aliases."""
    count = 0

    def check(where: str, value: Any, left: int) -> None:
        nonlocal count
        count += 1
        if count > LIMIT or left < 0:
            raise InputError(f"{label} is too large, or nested too deeply.")
        if isinstance(value, dict):
            for key, item in value.items():
                if not isinstance(key, str):
                    raise InputError(
                        f"{label} cannot be used: in {where or 'it'}, the name of a member is {key!r}, not a text.",
                        "Put it in quotes. In YAML, on, off, yes and no are true and false.",
                    )
                check(f"{where}/{key}" if where else key, item, left - 1)
        elif isinstance(value, list):
            for number, item in enumerate(value, start=1):
                check(f"{where}/{number}", item, left - 1)
        elif value is not None and not isinstance(value, (str, int, float)):
            raise InputError(
                f"{label} cannot be used: {where} is a {type(value).__name__}, which JSON does not have.",
                "Put it in quotes.",
            )

    check("", document, DEPTH)
