# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What is sent of a definition. A secret that cannot be compared is not, unless that is asked for. Pure functions.

What an export shows encrypted cannot be compared with anything, and what was redacted is not known. An import merges,
so that a secret that is left out stays as the server has it (docs/enterprise_manager_api.md, 9.7).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .._client.api import Json
from .._client.errors import InputError
from .._client.redaction import is_encrypted, secrets_in_text
from .model import BODY, PLACEHOLDER, Rules, Where, by_identity, cover_at, is_redacted, name

ABSENT: Any = object()
REWRITTEN = (
    "A tool has rewritten it, as Windows PowerShell does: use ConvertTo-Json -Depth 100 and Set-Content -Encoding utf8."
)


@dataclass
class Sending:
    """What is sent: ``content`` of the document, the places of secrets that are sent although they cannot be compared
    (``forced``), that are not sent for that reason (``uncompared``), or because they were redacted (``redacted``)."""

    content: Json = field(default_factory=dict)
    forced: list[Where] = field(default_factory=list)
    uncompared: list[Where] = field(default_factory=list)
    redacted: list[Where] = field(default_factory=list)


def sending(label: str, wanted: Json, current: Json, rules: Rules, always: bool, keep: bool) -> Sending:
    """Return what is sent of the definition ``wanted`` where ``current`` is (empty: nothing).

    ``always``: secrets that cannot be compared are sent, too. ``keep``: in place of a secret of a task that is not sent
    goes what the server has, as the task is to be made anew.
    Raises InputError, which names ``label``, for a text or an object that is where the server has a list or an object.
    """
    result = Sending()
    walker = _Walker(label, rules, always, keep, result)
    result.content = walker.walk((), wanted[BODY], current.get(BODY) or {})
    return result


class _Walker:
    def __init__(self, label: str, rules: Rules, always: bool, keep: bool, result: Sending) -> None:
        self._label, self._rules, self._always, self._keep, self._result = label, rules, always, keep, result

    def walk(self, where: Where, new: Any, old: Any) -> Any:
        """Return what is sent in place of ``new`` where ``old`` is; ABSENT if nothing is."""
        self._check_form(where, new, old)
        if isinstance(new, dict):
            below = old if isinstance(old, dict) else {}
            members = {key: self.walk((*where, key), item, below.get(key, ABSENT)) for key, item in new.items()}
            return {key: item for key, item in members.items() if item is not ABSENT}
        if isinstance(new, list):
            known = old if isinstance(old, list) else []
            keyed = by_identity(new)
            if keyed is None:
                left = [(self._shape(where, item), item) for item in known]
                items = [self._item(where, item, left) for item in new]
            else:
                there = by_identity(known) or {}
                items = [self.walk((*where, key), item, there.get(key)) for key, item in keyed.items()]
            return [item for item in items if item is not ABSENT]
        if is_redacted(new):
            return self._redacted(where, new, old)
        if new == old or not (is_encrypted(old) or (is_encrypted(new) and old is not ABSENT)):
            return new
        return self._uncomparable(where, new, old)

    def _redacted(self, where: Where, new: str, old: Any) -> Any:
        if new != PLACEHOLDER and old is not ABSENT:
            whole = filled(new, old)
            if whole is not ABSENT:
                return whole
        self._result.redacted.append(where)
        return self._kept(where, old)

    def _uncomparable(self, where: Where, new: Any, old: Any) -> Any:
        if self._always:
            self._result.forced.append(where)
            return new
        if not is_encrypted(new):
            self._result.uncompared.append(where)
        return self._kept(where, old)

    def _kept(self, where: Where, old: Any) -> Any:
        return old if self._keep and where[0] == "tasks" else ABSENT

    def _item(self, where: Where, new: Any, left: list[tuple[Any, Any]]) -> Any:
        """Return what is sent in place of an item of a list that is replaced as a whole.

        Of such an item nothing can be left out. So its secrets are those of the item that is the same without them,
        the first of those ``left``: pairs of what an old item is without its secrets, and the item. It is taken out.
        """
        shape = self._shape(where, new)
        at = next((at for at, (_shape, old) in enumerate(left) if old == new), None)
        if at is None:
            at = next((at for at, (other, _old) in enumerate(left) if other == shape), None)
        same = ABSENT if at is None else left.pop(at)[1]
        if new == same:
            return new
        unsure = Sending()
        sent = _Walker(self._label, self._rules, self._always, self._keep, unsure).walk(where, new, same)
        if unsure.forced:
            self._result.forced.append(where)
        self._result.uncompared += unsure.uncompared
        if same is not ABSENT and not unsure.forced and sent != new:
            return same
        self._result.redacted += unsure.redacted
        return sent

    def _shape(self, where: Where, value: Any) -> Any:
        return cover_at((*where, 0), value, self._rules, lambda _secret: PLACEHOLDER)

    def _check_form(self, where: Where, new: Any, old: Any) -> None:
        """Raise InputError for what a tool made of an object or a list that the server has at this place."""
        if isinstance(old, list) and old and isinstance(new, (str, dict)):
            form, there = "a text" if isinstance(new, str) else "an object", "a list"
        elif isinstance(old, dict) and old and isinstance(new, str):
            form, there = "a text", "an object"
        else:
            return
        raise InputError(
            f"{self._label} is damaged: {name(where)} is {form}, but on the server it is {there}. {REWRITTEN}"
        )


def filled(new: Any, old: Any) -> Any:
    """Return ``new`` (a text, or what JSON in it holds) with the secrets of ``old`` in place of those taken out.

    ABSENT if one of them is not there.
    """
    if isinstance(new, dict):
        members = {
            key: filled(item, old.get(key, ABSENT) if isinstance(old, dict) else ABSENT) for key, item in new.items()
        }
        return ABSENT if any(item is ABSENT for item in members.values()) else members
    if isinstance(new, list):
        known = old if isinstance(old, list) and len(old) == len(new) else [ABSENT] * len(new)
        items = [filled(*pair) for pair in zip(new, known)]
        return ABSENT if any(item is ABSENT for item in items) else items
    if not is_redacted(new):
        return new
    if new == PLACEHOLDER or not isinstance(old, str):
        return old if new == PLACEHOLDER else ABSENT
    try:
        inner, there = json.loads(new), json.loads(old)
    except (ValueError, RecursionError):
        return _filled_text(new, old)
    whole = filled(inner, there)
    if whole is ABSENT:
        return ABSENT
    return old if whole == there else json.dumps(whole, ensure_ascii=False)


def _filled_text(new: str, old: str) -> Any:
    """Return ``new`` filled by names; of those that stand there more than once, by their order."""
    secrets: dict[str, list[str]] = {}
    for begin, end, known in secrets_in_text(old):
        secrets.setdefault(known.lower(), []).append(old[begin:end])
    places = list(secrets_in_text(new))
    needed = Counter(known.lower() for _begin, _end, known in places)
    if any(len(secrets.get(known, ())) < count for known, count in needed.items()):
        return ABSENT
    pieces, at = [], 0
    for begin, end, known in places:
        secret = secrets[known.lower()].pop(0)
        if new[begin:end] == PLACEHOLDER:
            pieces += [new[at:begin], secret]
            at = end
    text = "".join([*pieces, new[at:]])
    return ABSENT if PLACEHOLDER in text else text
