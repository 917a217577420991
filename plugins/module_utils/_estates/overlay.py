# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""How one environment differs from the files: an overlay, laid over the data. Pure functions.

An overlay speaks of the names in the files, never of the new ones. What it names and what is not there is an error.
docs/estate_as_code.md explains the form.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Json
from .._client.errors import InputError
from .._client.nearest import did_you_mean
from .._common.patterns import matches
from .._definitions.document import name_of
from .._definitions.model import PLACEHOLDER, cover_at
from .._fleets.strict import Odd, OddText, check_members, list_at, mapping_at, name_at, text_at
from .._servers import cron
from .model import ACL, ENDPOINTS, NO_RULES, SCHEDULES, TASKS, Estate, ObjectKey
from .overlay_places import add, put, schemas_in, with_schemas
from .references import STAR, Names, renamed, with_names

SECTIONS = {"endpoints": ENDPOINTS, "tasks": TASKS, "schedules": SCHEDULES, "acls": ACL}
EFFECTS = {
    ENDPOINTS: ("rename", "leave_out", "set", "add"),
    TASKS: ("rename", "leave_out", "set", "add", "schemas"),
    SCHEDULES: ("rename", "leave_out", "set", "add", "enabled", "cron"),
    ACL: ("leave_out", "set", "add"),
}
MEMBERS = {ENDPOINTS: "databases", TASKS: "tasks", SCHEDULES: "scheduler"}  # where a definition has objects of a kind


class Rule(NamedTuple):
    """What an overlay says, at the place ``where``, of the objects that the patterns ``server`` and ``name`` mean."""

    where: str
    kind: str
    server: str
    name: str
    effects: Mapping[str, Any]

    def means(self, key: ObjectKey) -> bool:
        """Return whether an object is meant."""
        return key.kind == self.kind and matches(key.server, self.server) and matches(key.name, self.name)


class Overlay(NamedTuple):
    """``label`` is how messages call it, ``servers`` are new names of servers by old ones, which may be patterns."""

    label: str
    servers: Mapping[str, str]
    rules: Sequence[Rule]

    def refusal(self, where: str, why: str, hint: str = "") -> InputError:
        """Return the failure to raise."""
        return InputError(f"{self.label} cannot be used: {where} {why}.", hint)


# Reading


def read_overlay(label: str, document: Any) -> Overlay:
    """Return the overlay in a document; raise InputError, which names ``label`` and the place, for what is odd."""
    try:
        check_members("", document, (), ("servers", *SECTIONS))
        servers = _names("servers", document.get("servers"))
        rules = [
            _rule(f"{section}/{number}", kind, item)
            for section, kind in SECTIONS.items()
            for number, item in enumerate(list_at(section, document.get(section) or []), start=1)
        ]
    except OddText as odd:
        raise InputError(f"{label} cannot be used: {odd}.") from odd
    return Overlay(label, servers, rules)


def _rule(where: str, kind: str, item: Any) -> Rule:
    needed = () if kind == ACL else ("name",)
    check_members(where, item, needed, ("server", *EFFECTS[kind]))
    effects = {effect: item[effect] for effect in EFFECTS[kind] if effect in item}
    if not effects:
        raise Odd(where, item, f"a mapping with one of {', '.join(EFFECTS[kind])}")
    rule = Rule(
        where,
        kind,
        name_at(f"{where}/server", item.get("server", STAR)),
        "" if kind == ACL else name_at(f"{where}/name", item["name"]),
        effects,
    )
    for effect, value in effects.items():
        _check_effect(rule, f"{where}/{effect}", effect, value)
    return rule


def _check_effect(rule: Rule, where: str, effect: str, value: Any) -> None:
    if effect in ("leave_out", "enabled"):
        if not isinstance(value, bool):
            raise Odd(where, value, "true or false")
    elif effect == "rename":
        _check_rename(where, rule.name, value)
    elif effect == "schemas":
        _names(where, value)
    elif effect == "cron":
        try:
            cron.parse(text_at(where, value))
        except ValueError as error:
            raise Odd(where, value, f"a cron expression ({error})") from error
    else:
        for path, new in mapping_at(where, value).items():
            text_at(where, path)
            member = (MEMBERS.get(rule.kind, rule.kind), None, *path.split("/"))
            if cover_at(member, new, NO_RULES, lambda _secret: PLACEHOLDER) != new:
                why = f"write {PLACEHOLDER} here, and give the secret in the option secrets"
                raise OddText(f"{where}/{path} holds a secret: {why}")


def _names(where: str, value: Any) -> dict[str, str]:
    """Return a mapping of old names or patterns to new ones; raise Odd."""
    found = mapping_at(where, value or {})
    for old, new in found.items():
        name_at(where, old)
        _check_rename(f"{where}/{old}", old, new)
    return found


def _check_rename(where: str, old: str, new: Any) -> None:
    name_at(where, new)
    if STAR in new and ((old.count(STAR), new.count(STAR)) != (1, 1) or any(sign in old for sign in "?[")):
        raise Odd(where, new, f"a name in which {STAR} stands once, as it does alone in the old one, or not at all")


# Laying over


def overlaid(estate: Estate, overlay: Overlay) -> Estate:
    """Return the estate as the overlay makes it.

    Raises InputError for what the overlay names and the estate has not, and if two objects would be one.
    """
    _check_known(estate, overlay)
    names, left_out = _new_names(estate, overlay)
    found: Estate = {}
    origin: dict[ObjectKey, ObjectKey] = {}
    for key, item in estate.items():
        if key in left_out:
            continue
        document = with_names(key, _changed(key, item, overlay), names, left_out)
        if document is None:  # a schedule, all tasks of which are left out
            continue
        new = names.of(key)
        if new in found:
            raise overlay.refusal(
                f"{key.text} and {origin[new].text}", f"would both become the {new.text}", "Rename one of them."
            )
        found[new], origin[new] = document, key
    return found


def _check_known(estate: Estate, overlay: Overlay) -> None:
    """Raise InputError for a server or an object that the overlay names and that is not there."""
    servers = list(dict.fromkeys(key.server for key in estate))
    for old in overlay.servers:
        if not any(matches(server, old) for server in servers):
            raise overlay.refusal("servers", f'names "{old}", which is not in the files', did_you_mean(old, servers))
    for rule in overlay.rules:
        meant = [key for key in estate if rule.means(key)]
        if meant:
            schemas = list(dict.fromkeys(name for key in meant for name in schemas_in(estate[key])))
            for old in rule.effects.get("schemas", {}):
                if not any(matches(schema, old) for schema in schemas):
                    why = f'names the schema "{old}", which none of its tasks has'
                    raise overlay.refusal(f"{rule.where}/schemas", why, did_you_mean(old, schemas))
            continue
        if not any(matches(server, rule.server) for server in servers):
            near = did_you_mean(rule.server, servers)
            raise overlay.refusal(rule.where, f'names the server "{rule.server}", which is not in the files', near)
        there = [key.name for key in estate if key.kind == rule.kind and matches(key.server, rule.server)]
        what = "ACL" if rule.kind == ACL else f'{rule.kind[:-1]} "{rule.name}"'
        where = "" if rule.server == STAR else f' of server "{rule.server}"'
        near = did_you_mean(rule.name, there) if rule.kind != ACL else ""
        raise overlay.refusal(rule.where, f"names the {what}{where}, which is not in the files", near)


def _new_names(estate: Estate, overlay: Overlay) -> tuple[Names, set[ObjectKey]]:
    """Return the new names of all objects, those that are left out too: others name them; and which these are."""
    names = Names({}, overlay.servers)
    left_out: set[ObjectKey] = set()
    for key in estate:
        for rule in overlay.rules:
            if not rule.means(key):
                continue
            if "rename" in rule.effects:
                names.objects[key] = renamed(key.name, rule.name, rule.effects["rename"])
            if "leave_out" in rule.effects:
                (left_out.add if rule.effects["leave_out"] else left_out.discard)(key)
    return names, left_out


def _changed(key: ObjectKey, item: Json, overlay: Overlay) -> Json:
    """Return the document of an object with all that the rules say of it, but for names."""
    rules = [rule for rule in overlay.rules if rule.means(key)]
    if not any(frozenset(rule.effects) - {"rename", "leave_out"} for rule in rules):
        return item
    document = copy.deepcopy(item)
    for rule in rules:
        for effect, value in rule.effects.items():
            where = f"{rule.where}/{effect}"
            if effect == "schemas":
                document = with_schemas(document, value)
            elif effect == "enabled":
                document["enabled"] = value
            elif effect == "cron":
                document["schedule"] = cron.normal(value)
            elif effect in ("set", "add"):
                for path, new in value.items():
                    trouble = (put if effect == "set" else add)(document, path, new)
                    if trouble:
                        raise overlay.refusal(where, f'names "{path}", {trouble.why} the {key.text}', trouble.hint)
    kind = MEMBERS.get(key.kind, "")
    if key.kind != ACL and name_of(kind, document) != key.name:
        raise overlay.refusal(rules[-1].where, f"gives the {key.text} another name", "Use rename for that.")
    return document
