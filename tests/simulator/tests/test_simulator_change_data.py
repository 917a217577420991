# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change data and its barriers, and the audit trail."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import ORDERS, PROD, Client

DELETE = f"{ORDERS}?action=delete_old_change_data"
SET = f"{ORDERS}?action=set_change_data_retention_barrier"
GET = f"{ORDERS}?action=get_change_data_retention_barrier"
TRAIL = "/security/audit_trail"


def barrier(client: Client, application: str, point: str) -> int:
    """Set one, as the SDKs do."""
    body = {"$type": "AemSetChangeDataRetentionBarrierReq", "application": application, "retention_point": point}
    return client.send("PUT", SET, body).status


def test_barriers(em: Handle, admin: Client) -> None:
    """One for each application; the earliest is shown; an empty point removes it."""
    assert admin.call("GET", GET).json == {"application": "", "retention_point": ""}
    assert barrier(admin, "Compose", "2026-03-01T00:00:00Z") == 200
    assert barrier(admin, "Other", "2026-02-01T10:00:00Z") == 200
    assert admin.call("GET", GET).json == {"application": "Other", "retention_point": "2026-02-01T10:00:00Z"}
    assert barrier(admin, "Other", "2026-04-01T00:00:00Z") == 200
    assert admin.call("GET", GET).json["application"] == "Compose"
    assert barrier(admin, "Compose", "") == 200
    assert barrier(admin, "Compose", "") == 200
    assert admin.call("GET", GET).json == {"application": "Other", "retention_point": "2026-04-01T00:00:00Z"}
    assert em.inside("Replicate-Prod", "orders")["barriers"] == {"Other": "2026-04-01T00:00:00Z"}
    other = GET.replace("/orders", "/invoices")
    assert admin.call("GET", other).json == {"application": "", "retention_point": ""}


@pytest.mark.parametrize(
    "point",
    [
        "now",
        "2026-02-01",
        "2026-02-01T00:00:00",
        "2026-02-30T00:00:00Z",
        "2026-02-01T00:00:00+00:00",
        "٢٠٢٦-02-01T00:00:00Z",
    ],
)
def test_points_that_are_none(em: Handle, admin: Client, point: str) -> None:
    """UTC with Z, to the second."""
    reply = admin.send("PUT", SET, {"application": "Compose", "retention_point": point})
    assert (reply.status, reply.code) == (500, "AEM_INVALID_TIMESTAMP_FORMAT")
    assert em.inside("Replicate-Prod", "orders")["barriers"] == {}


@pytest.mark.parametrize(
    "value", [{}, [], {"application": "x"}, {"retention_point": ""}, {"application": " ", "retention_point": ""}]
)
def test_bodies_that_are_no_barrier(admin: Client, value: Any) -> None:
    """500 with JSON."""
    assert admin.send("PUT", SET, value).code == "DESERIALIZE_TO_TYPE"
    assert admin.call("PUT", SET, b"application=Compose\nretention_point=").code == "DESERIALIZE_TO_TYPE"


@pytest.mark.parametrize("given", ["2026-01-01T00:00:00Z", "P1M3DT1H2M", "P1Y", "PT5S", "P2W"])
def test_deleting_old_change_data(em: Handle, admin: Client, given: str) -> None:
    """A moment or a duration; noted with the barrier that holds."""
    barrier(admin, "Compose", "2026-03-01T00:00:00Z")
    body = {"$type": "AemDeleteOldChangeDataReq", "timestamp_or_offset": given}
    reply = admin.send("POST", DELETE, body)
    assert (reply.status, reply.body) == (200, b"")
    assert em.inside("Replicate-Prod", "orders")["deleted_change_data"] == [
        {"timestamp_or_offset": given, "barrier": "2026-03-01T00:00:00Z"}
    ]


@pytest.mark.parametrize("given", ["", "P", "PT", "P1", "1D", "2026-01-01", "P1H", "yesterday"])
def test_what_is_neither_moment_nor_duration(em: Handle, admin: Client, given: str) -> None:
    """The code says so."""
    assert admin.send("POST", DELETE, {"timestamp_or_offset": given}).code == "AEM_INVALID_TIMESTAMP_FORMAT"
    assert admin.send("POST", DELETE, {"timestamp_or_offset": 5}).code == "DESERIALIZE_TO_TYPE"
    assert em.inside("Replicate-Prod", "orders")["deleted_change_data"] == []


# The audit trail


def ticks(moment: datetime.datetime) -> int:
    """.NET's: 100 ns since the year 1."""
    start = datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc)
    return int((moment - start) / datetime.timedelta(microseconds=1)) * 10


def test_the_trail(em: Handle, admin: Client) -> None:
    """Logins and changes, oldest first; reads are not in it, and neither is what was refused."""
    admin.call("GET", PROD)
    admin.call("POST", f"{PROD}/tasks/shipments?action=stop", b"")
    admin.call("POST", f"{PROD}/tasks/shipments?action=stop", b"")
    admin.call("GET", "/logout")
    admin.log_in("admin@corp.example", "admin-test-password")
    records = admin.call("GET", f"{TRAIL}?start_timestamp=2020-06-30T16:15:00Z").json
    assert [record["request"] for record in records] == ["AemLogin", "AemStopTask", "AemLogout", "AemLogin"]
    assert {record["user"] for record in records} == {"admin"}
    assert (records[1]["server"], records[1]["task"]) == ("Replicate-Prod", "shipments")
    assert records == em.audit()


def test_a_part_of_the_trail(em: Handle, admin: Client) -> None:
    """From and to, as text or as ticks; both ends count."""
    now = datetime.datetime.now(datetime.timezone.utc)
    hour = datetime.timedelta(hours=1)
    for start, end, count in (
        (now - hour, None, 1),
        (now - hour, now + hour, 1),
        (now + hour, None, 0),
        (now - 2 * hour, now - hour, 0),
        (now + hour, now + hour, 0),
    ):
        for spell in (lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"), ticks):
            query = f"?start_timestamp={spell(start)}" + (f"&end_timestamp={spell(end)}" if end else "")
            reply = admin.call("GET", TRAIL + query)
            assert (reply.status, len(reply.json)) == (200, count), query
    assert admin.call("GET", f"{TRAIL}/?start_timestamp={ticks(now - hour)}&end_timestamp=None").status == 200


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "AEM_INVALID_TIMESTAMP_FORMAT"),
        ("?start_timestamp=today", "AEM_INVALID_TIMESTAMP_FORMAT"),
        ("?start_timestamp=2026-01-01", "AEM_INVALID_TIMESTAMP_FORMAT"),
        ("?start_timestamp=99999999999999999999", "AEM_INVALID_TIMESTAMP_FORMAT"),
        ("?start_timestamp=9999999999999999999", "AEM_INVALID_TIMESTAMP_FORMAT"),
        ("?start_timestamp=2026-01-01T00:00:00Z&end_timestamp=x", "AEM_INVALID_TIMESTAMP_FORMAT"),
        ("?start_timestamp=2026-01-01T00:00:01Z&end_timestamp=2026-01-01T00:00:00Z", "AEM_EXPORT_INNER_ERR"),
    ],
)
def test_times_that_are_refused(em: Handle, admin: Client, query: str, code: str) -> None:
    """500 with the guide's codes."""
    reply = admin.call("GET", TRAIL + query)
    assert (reply.status, reply.code) == (500, code)
    assert not em.requests()[-1]["executed"]


def test_rights_for_the_trail(em: Handle, operator: Client) -> None:
    """401 here, with a text of its own."""
    reply = operator.call("GET", f"{TRAIL}?start_timestamp=2026-01-01T00:00:00Z")
    assert (reply.status, reply.json) == (
        401,
        {"error_code": "UNAUTHORIZED_REQUEST", "error_message": "Unauthorized Request. request: AemExportAuditTrail"},
    )
