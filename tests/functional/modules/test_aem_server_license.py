# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_server_license: sent each time, changed by the dates, and no line of it comes out."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_servers import LICENCE
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
SERVER = "Replicate-Unlicensed"
OTHER = LICENCE.replace("2036", "2037")
IN_JSON = json.dumps({"cmd.license": {"issue_date": "2026-02-02", "expiration": "2036-02-02", "checksum": "1A2B3C4D"}})


@pytest.fixture
def user(em):
    """An admin."""
    return User(em, defaults={**ADMIN})


def sent(run):
    """Return the bodies of all PutServerLicense."""
    return [r["body"] for r in run.requests if r["operation"] == "PutServerLicense"]


def test_a_licence_is_registered_and_its_dates_are_returned(user, em):
    run = user.run("aem_server_license", server=SERVER, license=LICENCE, diff=True)
    assert run.operations == ["Login", "GetServerDetails", "PutServerLicense", "GetServerDetails", "Logout"]
    assert sent(run) == [LICENCE]
    request = run.requests[2]
    assert request["raw_path"] == f"/attunityenterprisemanager/api/v1/servers/{SERVER}/license/def"
    assert run.changed and run.result["license"] == {
        "issue_date": "2026-02-02",
        "expiration": "2036-02-02",
        "state": "VALID_LICENSE",
        "days_to_expiration": run.result["license"]["days_to_expiration"],
    }
    assert run.result["diff"] == {
        "before": {"issue_date": "2024-01-01", "expiration": "2025-01-01", "state": "EXPIRED_LICENSE"},
        "after": {"issue_date": "2026-02-02", "expiration": "2036-02-02", "state": "VALID_LICENSE"},
        "before_header": SERVER,
        "after_header": SERVER,
    }
    assert em.server(SERVER)["license"]["expiration"] == "2036-02-02"


def test_the_same_dates_are_no_change_although_it_is_sent(user):
    assert user.run("aem_server_license", server=SERVER, license=LICENCE).changed
    again = user.run("aem_server_license", server=SERVER, license=LICENCE, diff=True)
    assert not again.changed and len(sent(again)) == 1
    assert again.result["diff"]["before"] == again.result["diff"]["after"]
    assert user.run("aem_server_license", server=SERVER, license=OTHER).changed


def test_check_mode_sends_nothing_and_says_what_it_cannot_know(user):
    run = user.run("aem_server_license", server=SERVER, license=LICENCE, check=True)
    assert run.operations == ["Login", "GetServerDetails", "Logout"]
    assert run.changed and run.result["license"]["state"] == "EXPIRED_LICENSE"
    assert run.result["diff"]["after"] == {"license": "known only when it is registered"}
    assert run.result["warnings"] == [
        f'Whether server "{SERVER}" already has this licence is known only after it is registered.'
    ]


@pytest.mark.parametrize("text", [LICENCE, IN_JSON, "\ufeff" + LICENCE, LICENCE.replace("\n", "\r\n")])
def test_a_file_is_sent_as_it_is(user, tmp_path, text):
    path = tmp_path / "licence"
    path.write_bytes(text.encode())
    run = user.run("aem_server_license", server=SERVER, src=str(path))
    assert run.changed, run.result
    assert sent(run)[0].replace("\r", "") == text.removeprefix("\ufeff").replace("\r", "")


def test_a_licence_that_templating_made_a_mapping_is_json_again(user):
    run = user.run("aem_server_license", server=SERVER, license=json.loads(IN_JSON))
    assert run.changed and json.loads(sent(run)[0]) == json.loads(IN_JSON)


def test_a_compose_server_has_no_licence_of_this_kind(user):
    run = user.run("aem_server_license", server="Compose-DW", license=LICENCE)
    assert run.failed and run.result["hint"] == "PutServerLicense is documented for Qlik Replicate servers only."


def test_a_licence_that_is_refused(user):
    run = user.run("aem_server_license", server=SERVER, license="hello, licence")
    assert run.failed and not run.changed and run.result["error_code"] == "AEM_PUT_SRV_LIC_INNER_ERR"
    assert "no expiration date" in run.msg and "whole licence file" in run.result["hint"]
    run = user.run("aem_server_license", server=SERVER, license=LICENCE, **OPERATOR)
    assert run.failed and "the role Admin on the server" in run.result["hint"]


OPERATOR = {"username": "operator@corp.example", "password": "operator-test-password"}
LOST = [{"fault": "cut_after"}, {"fault": "status", "status": 502, "work": True}]


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_is_decided_by_the_dates(user, em, fault):
    em.faults([{"match": {"operation": "PutServerLicense"}, "nth": "all", **fault}])
    run = user.run("aem_server_license", server=SERVER, license=LICENCE)
    assert not run.failed and run.changed and len(sent(run)) == 1
    run = user.run("aem_server_license", server=SERVER, license=LICENCE)
    assert run.failed and run.changed and len(sent(run)) == 1 and "It shows no effect." in run.msg


@pytest.mark.parametrize("fault", [{"fault": "cut_before"}, {"fault": "status", "status": 502}])
def test_a_write_that_shows_no_effect(user, em, fault):
    em.faults([{"match": {"operation": "PutServerLicense"}, "nth": "all", **fault}])
    run = user.run("aem_server_license", server=SERVER, license=LICENCE)
    assert run.failed and run.changed and len(sent(run)) == 1


def test_a_read_that_fails_after_the_write(user, em):
    em.faults([{"match": {"operation": "GetServerDetails"}, "nth": 2, "fault": "error", "error_code": "AEM_ODD"}])
    run = user.run("aem_server_license", server=SERVER, license=LICENCE)
    assert run.failed and run.changed and run.msg.startswith("The licence was registered, but")


PIECES = ("1A2B-3C4D-5E6F", "checksum=1A2B-3C4D-5E6F", "expiration_date=2036-02-02", LICENCE, "1A2B3C4D", IN_JSON)


@pytest.mark.parametrize("by", ["license", "src"])
def test_no_line_of_it_comes_out(user, em, tmp_path, by):
    for text in (LICENCE, IN_JSON):
        path = tmp_path / "licence"
        path.write_text(text)
        em.faults(
            [
                {
                    "match": {"operation": "PutServerLicense"},
                    "fault": "error",
                    "error_code": "AEM_ODD",
                    "error_message": " | ".join(piece for piece in PIECES if piece in text),
                }
            ]
        )
        options = {"license": text} if by == "license" else {"src": str(path)}
        run = user.run("aem_server_license", server=SERVER, **options, diff=True)
        assert run.failed and "********" in run.msg
        assert not [piece for piece in PIECES if piece in str(run.result) or piece in run.msg]
        run = user.run("aem_server_license", server=SERVER, **options, diff=True, check=True)
        assert not [piece for piece in PIECES if piece in str(run.result)]


def test_the_largest_licence_is_hidden_in_no_time(user):
    noise = "\n".join(f"feature_{number} = \u00fc <{number * 7919:010}> & more" for number in range(440))
    assert 15000 < len(LICENCE + noise) <= 16384
    begin = time.process_time()
    run = user.run("aem_server_license", server=SERVER, license=LICENCE + noise)
    assert run.changed and time.process_time() - begin < 20
