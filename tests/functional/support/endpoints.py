# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of endpoints share."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.dataops.qlik_em.tests.functional.support.user import Run, User
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

PROD = "Replicate-Prod"


def endpoint(user: User, **options: Any) -> Run:
    """Run aem_endpoint on ERP of Replicate-Prod, with short pauses."""
    return user.run("aem_endpoint", **{"server": PROD, "name": "ERP", "wait_sleep": 0.1, **options})


def person(em: Handle, name: str) -> User:
    """Return one of the users of default.yml."""
    return User(em, defaults={"username": f"{name}@corp.example", "password": f"{name}-test-password"})


def names(em: Handle, server: str = PROD) -> set[str]:
    """Return the names of the endpoints that are there."""
    return set(em.server(server)["endpoints"])


def writes(run: Run) -> list[str | None]:
    """Return the methods that were sent and are no reads."""
    return [r["operation"] for r in run.requests if r["method"] != "GET" and r["operation"] != "Login"]


def sent(run: Run, operation: str) -> list[Any]:
    """Return the bodies that were sent to a method."""
    return [json.loads(r["body"]) for r in run.requests if r["operation"] == operation]
