# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name that does not exist: what reads says so and goes on, everything else fails, and both name the nearest one."""

from __future__ import annotations

import pytest

ORDERS_ONLY = {"username": "orders@corp.example", "password": "orders-test-password"}
TASK = {"server": "Replicate-Prod", "name": "oders"}
SERVER = {"server": "Replicate-Prd", "name": "orders"}


@pytest.mark.parametrize(
    "module, options, missing, warnings",
    [
        (
            "aem_server_info",
            {"name": ["replicate-prod", "Compose-DW", "No-such-*"]},
            ["No-such-*", "replicate-prod"],
            [
                'No server matches "No-such-*".',
                'There is no server "replicate-prod". Did you mean "Replicate-Prod"?',
            ],
        ),
        ("aem_server_info", {"name": "qqq"}, ["qqq"], ['There is no server "qqq".']),
        (
            "aem_task_info",
            TASK,
            ["oders"],
            ['There is no task "oders" on server "Replicate-Prod". Did you mean "orders"?'],
        ),
        (
            "aem_task_info",
            {"server": ["Replicate-Prod", "Replicate-Test", "Replicate-X*"], "name": ["oders", "ord*", "none*"]},
            ["Replicate-X*", "oders"],
            ['No server matches "Replicate-X*".', 'There is no task "oders" on any of the 2 servers.'],
        ),
        ("aem_task_info", {"server": "Replicate-Prod", "name": "orders", "state": "error"}, [], []),
        (
            "aem_endpoint_info",
            {"server": "Replicate-Prod", "name": ["Erp"]},
            ["Erp"],
            ['There is no endpoint "Erp" on server "Replicate-Prod". Did you mean "ERP"?'],
        ),
        (
            "aem_endpoint_info",
            {"server": "Replicate-P?"},
            ["Replicate-P?"],
            ['No server matches "Replicate-P?".'],
        ),
        (
            "aem_table_info",
            {"server": "Replicate-Prod", "name": "orders", "table": ["ORDER", "CUST*", "ZZ*"]},
            ["ORDER"],
            [
                'There is no table "ORDER" of task "orders" on server "Replicate-Prod". '
                'Did you mean "ORDERS" or "ORDER_LINES"?'
            ],
        ),
        (
            "aem_table_info",
            {"server": "Replicate-Prod", "name": "orders", "schema": ["sale"]},
            ["sale"],
            ['There is no schema "sale" of task "orders" on server "Replicate-Prod".'],
        ),
    ],
)
def test_what_reads_warns_of_a_name_that_nothing_fits(user, module, options, missing, warnings):
    run = user.run(module, **options)
    assert not run.failed and run.result["missing"] == missing
    assert run.result.get("warnings", []) == warnings


def test_schedules_too(user):
    login = {"username": "admin@corp.example", "password": "admin-test-password"}
    known = user.run("aem_schedule_info", server="Replicate-Prod", **login).result["schedules"]
    wrong = known[0]["name"].upper()
    run = user.run("aem_schedule_info", server="Replicate-Prod", name=[wrong, known[0]["name"]], **login)
    assert run.result["missing"] == [wrong] and len(run.result["schedules"]) == 1
    (warning,) = run.result["warnings"]
    assert warning == f'There is no schedule "{wrong}" on server "Replicate-Prod". Did you mean "{known[0]["name"]}"?'


def test_what_a_server_that_was_skipped_may_have_is_not_missing(user):
    run = user.run("aem_task_info", server=["Replicate-Prod", "Replicate-Old"], name="oders", on_server_error="skip")
    assert run.result["missing"] == [] and len(run.result["skipped_servers"]) == 1


@pytest.mark.parametrize(
    "module, options, near",
    [
        ("aem_task", {**TASK, "state": "stopped"}, '"orders"'),
        ("aem_task", {**SERVER, "state": "stopped"}, '"Replicate-Prod" or "Replicate-Down" or "Replicate Old"'),
        ("aem_task_batch", {"include": [TASK], "state": "stopped"}, '"orders"'),
        ("aem_endpoint_test", {"server": "Replicate-Prod", "name": "EPR"}, '"ERP"'),
        ("aem_endpoint", {"server": "Replicate-Prod", "name": "ERB", "settings": {"a": "b"}}, '"ERP"'),
        ("aem_server", {"name": "replicate-prod", "description": "x"}, '"Replicate-Prod"'),
        ("aem_table_info", {**TASK}, '"orders"'),
    ],
)
def test_what_fails_names_the_nearest_ones(user, module, options, near):
    login = {"username": "admin@corp.example", "password": "admin-test-password"}
    run = user.run(module, **options, **login)
    assert run.failed and not run.changed
    assert run.result["hint"].startswith(f"Did you mean {near}?")


def test_a_table_names_the_nearest_ones(user):
    run = user.run(
        "aem_table",
        server="Replicate-Prod",
        name="orders",
        schema="sales",
        table="ORDERS",
        state="reloaded",
        force=True,
    )
    assert run.failed and "Did you mean" in run.result["tables"][0]["hint"]


def test_one_that_may_not_see_the_names_gets_the_first_failure(user):
    run = user.run("aem_task", **SERVER, state="stopped", **ORDERS_ONLY)
    assert run.failed and "Replicate-Prd" in run.msg and "Did you mean" not in run.result["hint"]


def test_a_list_that_breaks_does_not_replace_the_first_failure(user, em):
    em.faults([{"match": {"operation": "GetTaskList"}, "fault": "cut_before"}])
    run = user.run("aem_task", **TASK, state="stopped", request_timeout=1)
    assert run.result["error_code"] == "AEM_TASK_NOT_FOUND" and "oders" in run.msg
