# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that a working server behind a bad line can cause: none of them makes the server say what is not true."""

from __future__ import annotations

from typing import Any

from ansible_collections.dataops.qlik_em.tests.functional.support.canaries import CANARIES
from hypothesis import strategies as st

seconds = st.sampled_from([0, 0.1, 0.2])
WORKED = st.booleans()
QUICK = st.one_of(
    st.builds(lambda how: {"fault": "cut_before", "how": how}, st.sampled_from(["close", "reset"])),
    st.builds(lambda how: {"fault": "cut_after", "how": how}, st.sampled_from(["close", "reset"])),
    st.builds(lambda s: {"fault": "cut_after", "seconds": s}, seconds),
    st.builds(
        lambda part, work: {"fault": "cut_midway", "part": part, "work": work},
        st.sampled_from(["headers", "body"]),
        WORKED,
    ),
    # Of somebody between: a 404 of the server's own listener says that nothing was done.
    st.builds(
        lambda status, work: {"fault": "status", "status": status, "work": work, "headers": {"Server": "nginx"}},
        st.sampled_from([502, 503, 404, 204]),
        WORKED,
    ),
    st.builds(lambda status: {"fault": "status", "status": status}, st.sampled_from([401, 403])),
    st.builds(
        lambda kind, work: {"fault": kind, "work": work},
        st.sampled_from(["garbage", "bad_json", "truncated_json", "html", "empty"]),
        WORKED,
    ),
    st.just({"fault": "truncated_json", "length": "too_long"}),
    st.just({"fault": "redirect", "location": "https://elsewhere.example/"}),
    st.just({"fault": "error", "error_code": "AEM_ODD", "error_message": f"Odd.\nVery odd: {CANARIES['password']}"}),
    st.just({"fault": "expire_session"}),
    st.just({"fault": "expire_session"}),
    st.builds(
        lambda s, when: {"fault": "delay", "seconds": s, "when": when}, seconds, st.sampled_from(["before", "after"])
    ),
)
SLOW = st.one_of(
    st.builds(lambda work: {"fault": "stall", "seconds": 5, "work": work}, WORKED),
    st.builds(lambda headers: {"fault": "trickle", "interval": 0.2, "seconds": 5, "headers": headers}, WORKED),
    st.just({"fault": "delay", "seconds": 2, "when": "after"}),
    st.builds(lambda chunked: {"fault": "endless", "chunked": chunked, "seconds": 5}, WORKED),
)
HARMLESS = ("delay", "error", "expire_session")  # the connection outlives these


@st.composite
def rules(draw: Any, operations: list[str], slow_in: int, most: int = 3, any_of: int = 0) -> dict[str, Any]:
    """Return a rule of the fault plan, for one of the first ``most`` calls of one of these methods.

    One of ``slow_in`` is about an answer that takes longer than the client waits. If there is ``any_of``, every second
    one is about any of so many calls, whatever their methods.
    """
    fault = draw(SLOW if draw(st.integers(0, slow_in - 1)) == slow_in // 2 else QUICK)
    if any_of and draw(st.booleans()):
        where: dict[str, Any] = {"nth": draw(st.integers(1, any_of))}
    else:
        where = {"match": {"operation": draw(st.sampled_from(operations))}, "nth": draw(st.integers(1, most))}
    return {**fault, **where, "count": draw(st.sampled_from([1, 1, 1, 2, 6]))}
