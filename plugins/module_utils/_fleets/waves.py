# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The waves in which tasks are stopped or started: as listed, or ``auto``, by what tasks read and write."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.checks import check_characters, shown_value
from .._client.errors import UNAUTHORIZED_REQUEST, ApiError, InputError
from .._common.parallel import map_parallel
from .._common.rows import first
from .._run.arguments import checked
from .._run.result import Mode
from .._servers.model import type_of
from .._tasks.model import TaskName
from .log_streams import RunAll, read_streams, relate, warnings_of
from .options import FleetLimits, selectors_option
from .order import Gate, Order
from .selection import Listed, Selector, Selectors, read_selectors

AUTO = "auto"
COMPOSE = "compose"


class Dependency(NamedTuple):
    """Tasks of which the first are started before the others; ``number`` is its place in the option, from 1."""

    number: int
    before: list[Selector]
    after: list[Selector]

    @property
    def text(self) -> str:
        """What messages call it."""
        return f"item {self.number} of dependencies"


class WavesOption(NamedTuple):
    """The options ``waves`` and ``dependencies``, checked; ``given`` is the list in ``waves``, None for ``auto``.

    ``selectors`` are those of the list.
    """

    given: list[dict[str, Any]] | None
    selectors: list[Selector]
    dependencies: list[Dependency]

    @property
    def is_auto(self) -> bool:
        """Whether the order is found out."""
        return self.given is None


class Waves(NamedTuple):
    """The tasks of each wave, the one that is stopped first at the beginning (as in the option ``waves``).

    ``tree`` is the order as people read it; None if the option is a list.
    """

    tasks: list[list[Listed]]
    tree: list[str] | None
    warnings: list[str]


def check_waves(params: Mapping[str, Any]) -> WavesOption:
    """Return the checked options of the order; raise InputError."""
    value = params["waves"]
    if value == AUTO:
        dependencies = [
            Dependency(number, *(_selectors_of(side, number, item[side]) for side in ("before", "after")))
            for number, item in enumerate(params["dependencies"] or [], start=1)
        ]
        return WavesOption(None, [], dependencies)
    if params["dependencies"]:
        raise InputError("dependencies can only be used with waves: auto. A list in waves is the order itself.")
    given = _listed(value)
    return WavesOption(given, read_selectors("waves", given), [])


def _selectors_of(side: str, number: int, given: Sequence[Mapping[str, Any]]) -> list[Selector]:
    selectors = read_selectors(f"{side} in dependencies", given)
    if not selectors:
        raise InputError(f"{side} in item {number} of dependencies must contain at least one selector.")
    return selectors


def _listed(value: Any) -> list[dict[str, Any]]:
    """Return the selectors in ``waves``, which may be a text, as a survey of AWX gives it; raise InputError."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            check_characters("waves", value)
    if value is None:
        return []
    if not isinstance(value, list):
        raise InputError(
            f"waves must be auto, or a list of selectors (or such a list as a JSON string), not {shown_value(value)}."
        )
    for item in value:
        if not isinstance(item, dict):
            raise InputError(
                f"Each of waves must be a selector, such as {{server: Compose-DW}}, not {shown_value(item)}."
            )
    return checked("waves", value, selectors_option())


def sort_into_waves(api: Api, tasks: Sequence[Listed], option: WavesOption, limits: FleetLimits) -> Waves:
    """Return the waves of the tasks. Only ``auto`` reads anything.

    Raises InputError for a task of two waves, and for tasks that wait for each other in a circle.
    """
    if not option.is_auto:
        return Waves(_as_listed(tasks, option.selectors), None, [])
    order, warnings = _found_order(api, tasks, option.dependencies, limits)
    listed = {one.task: one for one in tasks}
    in_waves = [[listed[task] for task in wave] for wave in order.waves()[::-1]]
    return Waves(in_waves, order.tree(), warnings)


def show_order(mode: Mode, waves: Waves) -> None:
    """Show the order to somebody who watches a dry run."""
    if mode.check and waves.tree is not None:
        for line in ("The order:", *waves.tree):
            mode.progress(line)


def order_values(waves: Waves) -> dict[str, Any]:
    """Return the member of a result that shows the order, if it was found out."""
    return {} if waves.tree is None else {"order": waves.tree}


def _as_listed(tasks: Sequence[Listed], waves: Sequence[Selector]) -> list[list[Listed]]:
    """Return the tasks of each wave, and last those of none; raise InputError for a task of two waves."""
    result: list[list[Listed]] = [[] for _wave in range(len(waves) + 1)]
    for listed in tasks:
        places = [number for number, wave in enumerate(waves) if wave.selects(listed)]
        if len(places) > 1:
            task, numbers = listed.task, " and ".join(str(place + 1) for place in places)
            raise InputError(
                f'Task "{task.name}" on server "{task.server}" is in the waves {numbers}: waves must not overlap.'
            )
        result[places[0] if places else -1].append(listed)
    return result


def _found_order(
    api: Api, tasks: Sequence[Listed], dependencies: Sequence[Dependency], limits: FleetLimits
) -> tuple[Order, list[str]]:
    """Return the order of the tasks: what is certain first, as the rules below it give way to it."""
    order = Order(listed.task for listed in tasks)
    warnings = [note for one in dependencies for note in _put_dependency(order, tasks, one)]
    if len(tasks) < 2:
        return order, warnings
    names: dict[str, list[str]] = {}
    for listed in tasks:
        names.setdefault(listed.task.server, []).append(listed.task.name)
    run_all = functools.partial(map_parallel, parallel=limits.parallel, abandon=api.client.interrupt.abandon)
    compose, unclear = _compose_servers(api, list(names), run_all)
    warnings += unclear
    to_read = {server: of_server for server, of_server in names.items() if len(of_server) > 1 and server not in compose}
    found = [relate(streams, to_read[streams.server]) for streams in read_streams(api, to_read, run_all)]
    warnings += warnings_of(found)
    for relations in found:
        for parent, child in relations.links:
            order.put(parent, child, "log stream")
    for relations in found:
        earlier = order.earlier_than(relations.staging)
        readers = [task for task in relations.readers if task not in earlier]
        order.put_all(relations.staging, readers, Gate(f'log streams of server "{relations.server}"'))
    by_product: dict[bool, list[TaskName]] = {False: [], True: []}
    for listed in tasks:
        by_product[listed.task.server in compose].append(listed.task)
    later = order.later_than(by_product[True])
    replicate = [task for task in by_product[False] if task not in later]
    order.put_all(replicate, by_product[True], Gate("Replicate before Compose"))
    return order, warnings


def _put_dependency(order: Order, tasks: Sequence[Listed], dependency: Dependency) -> list[str]:
    """Put the tasks of a dependency in their order; return a note for selectors that select nothing."""
    sides = {
        side: [listed.task for listed in tasks if selectors.select(listed)]
        for side, selectors in (("before", Selectors(dependency.before)), ("after", Selectors(dependency.after)))
    }
    both = set(sides["before"]) & set(sides["after"])
    if len(both) > 1:
        one, other = sorted(both)[:2]
        raise InputError(
            f"before and after in {dependency.text} both select {one} and {other}: each would be before the other."
        )
    gate = Gate(dependency.text)
    order.put_all(
        [one for one in sides["before"] if one not in both], [one for one in sides["after"] if one not in both], gate
    )
    for task in both:  # all others of before, then it, then all others of after
        for one in sides["before"]:
            order.put(one, task, dependency.text)
        for one in sides["after"]:
            order.put(task, one, dependency.text)
    return [
        f"{side} in {dependency.text} selects none of the tasks: it has no effect."
        for side, found in sides.items()
        if not found
    ]


def _compose_servers(api: Api, servers: Sequence[str], run_all: RunAll) -> tuple[set[str], list[str]]:
    """Return the servers that are Compose, and a warning if that cannot be seen of one of ``servers``."""
    products: dict[str, str | ApiError] = {
        item["name"]: type_of(item) for item in api.get_server_list(accept=(UNAUTHORIZED_REQUEST,))
    }

    def read(server: str) -> str | ApiError:
        try:
            return type_of(api.get_server_details(server))  # needs a lower role than the list
        except ApiError as failure:
            return failure

    missing = [server for server in servers if server not in products]
    products.update(zip(missing, run_all(read, missing)))
    refused = {server: answer for server, answer in products.items() if isinstance(answer, ApiError)}
    warnings = []
    if refused:
        names, failure = ", ".join(first(list(refused))), next(iter(refused.values()))
        warnings.append(
            "It cannot be read whether these servers are Replicate or Compose. They are treated as Replicate: "
            f"{names}. {failure.message}"
        )
    return {server for server, product in products.items() if product == COMPOSE}, warnings
