# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No method and no parameter of the guide is forgotten: by the API floor, by the modules, by the generated pages."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.api import AclOwner, Api
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.calls import Call, Target
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.error_codes import CATALOGUE
from ansible_collections.dataops.qlik_em.tests.functional.support.user import MODULES, User
from ansible_collections.dataops.qlik_em.tests.tools import api_docs

METHODS = {method["method"]: method for method in api_docs.facts()["methods"]}
S, T, E = "{server}", "{task}", "{endpoint}"
FILTERS = dict.fromkeys(METHODS["GetTableList"]["query"], "x")
SERVER = dict.fromkeys(METHODS["PutServer"]["body"], "x")
SELECTION = dict.fromkeys(METHODS["PutTaskTableSelection"]["body"])
DEFINITION = dict.fromkeys(METHODS["ImportTask"]["body"])
CLONE = dict.fromkeys(METHODS["CloneTask"]["body"])
ACL = dict.fromkeys(METHODS["PutServerAcl"]["body"])
OWNERS = {
    "Server": AclOwner(Target(("servers", S), "it"), "Server", is_new=False),
    "TasksCollection": AclOwner(Target(("servers", S, "tasks"), "it"), "TasksCollection"),
    "Task": AclOwner(Target(("servers", S, "tasks", T), "it"), "Task"),
    "EndpointsCollection": AclOwner(Target(("servers", S, "endpoints"), "it"), "EndpointsCollection"),
    "Endpoint": AclOwner(Target(("servers", S, "endpoints", E), "it"), "Endpoint"),
}
# Each method with all that it can be given. (The client itself logs in and out.)
CALLS = {
    "GetServerList": lambda api: api.get_server_list(),
    "GetServerDetails": lambda api: api.get_server_details(S),
    "GetServer": lambda api: api.get_server(S),
    "PutServer": lambda api: api.put_server(S, SERVER),
    "DeleteServer": lambda api: api.delete_server(S),
    "PutServerLicense": lambda api: api.put_server_license(S, "text"),
    "ExportAll": lambda api: api.export_all(S),
    "ImportAll": lambda api: api.import_all(S, DEFINITION),
    "ExportAuditTrail": lambda api: api.export_audit_trail("from", "to"),
    "GetTaskList": lambda api: api.get_task_list(S),
    "GetTaskDetails": lambda api: api.get_task_details(S, T),
    "RunTask": lambda api: api.run_task(S, T, "option", 1, "position", ()),
    "StopTask": lambda api: api.stop_task(S, T, 1, ()),
    "ExportTask": lambda api: api.export_task(S, T, True),
    "ImportTask": lambda api: api.import_task(S, T, DEFINITION),
    "CloneTask": lambda api: api.clone_task(S, T, CLONE),
    "DeleteTask": lambda api: api.delete_task(S, T, True),
    "DeleteOldChangeData": lambda api: api.delete_old_change_data(S, T, "P1D"),
    "SetChangeDataRetentionBarrier": lambda api: api.set_change_data_retention_barrier(S, T, "application", "point"),
    "GetChangeDataRetentionBarrier": lambda api: api.get_change_data_retention_barrier(S, T),
    "GetTableList": lambda api: api.get_table_list(S, T, FILTERS),
    "GetTableStatuses": lambda api: api.get_table_statuses(S, T, FILTERS),
    "GetTaskTableSelection": lambda api: api.get_task_table_selection(S, T),
    "PutTaskTableSelection": lambda api: api.put_task_table_selection(S, T, SELECTION),
    "ReloadTable": lambda api: api.reload_table(S, T, "schema", "table"),
    "ResumeTable": lambda api: api.resume_table(S, T, "schema", "table"),
    "GetEndpointList": lambda api: api.get_endpoint_list(S),
    "PatchEndpoint": lambda api: api.patch_endpoint(S, E, [{"op": "add", "path": "/db_settings/x", "value": 1}]),
    "DeleteEndpoint": lambda api: api.delete_endpoint(S, E),
    "ReconfigureEndpointNoWait": lambda api: api.reconfigure_endpoint_no_wait(S, E, "other", False),
    "TestEndpoint": lambda api: api.test_endpoint(S, E, 1),
    **{f"Get{title}Acl": lambda api, owner=owner: api.get_acl(owner) for title, owner in OWNERS.items()},
    **{f"Put{title}Acl": lambda api, owner=owner: api.put_acl(owner, ACL) for title, owner in OWNERS.items()},
    **{f"Delete{title}Acl": lambda api, owner=owner: api.delete_acl(owner) for title, owner in OWNERS.items()},
}


class Sent(Exception):
    """A call that a client was asked to send."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.call = call


class Recorder:
    """A client that sends nothing, and ends the method there."""

    def call(self, call: Call):
        raise Sent(call)


def built(name) -> Call:
    """Return the call that the API floor makes of a method."""
    with pytest.raises(Sent) as raised:
        CALLS[name](Api(Recorder()))
    return raised.value.call


def members(body):
    """Return what a body consists of, as tests/api_methods.yml has it."""
    if isinstance(body, list):
        return list(body[0])
    return list(body) if isinstance(body, dict) else "text" if body is not None else []


def test_every_method_is_on_the_api_floor():
    assert {*CALLS, "Login", "Logout"} == set(METHODS)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_the_api_floor_makes_the_request_of_the_guide(name):
    fact, call = METHODS[name], built(name)
    assert call.method == name
    assert f"{call.verb} /{'/'.join(call.target.path)}" == fact["request"]
    query = dict(call.query)
    assert query.pop("action", None) == fact.get("action")
    # overridetask: the guide has dropped it (see WITHOUT_OPTION)
    wanted = [one for one in fact.get("query", []) if f"{name}.{one}" not in api_docs.WITHOUT_OPTION]
    assert sorted(query) == sorted(wanted)
    assert sorted(members(call.body)) == sorted(fact.get("body", []))
    assert call.role == fact["role"]
    assert ("Replicate" in call.scope) == (fact["products"] == ["Replicate"])
    assert fact.get("since", "").removeprefix("Replicate ") in call.scope


def test_the_client_logs_in_and_out_as_the_guide_has_it(em):
    requests = User(em).run("aem_task_info", server=["Replicate-Prod"]).requests
    first, last = requests[0], requests[-1]
    for name, request in (("Login", first), ("Logout", last)):
        path = request["raw_path"].removeprefix("/attunityenterprisemanager/api/v1")
        assert (request["operation"], f"{request['method']} {path}") == (name, METHODS[name]["request"])


def test_every_method_has_a_module_or_a_reason():
    assert {*api_docs.COVERED_BY, *api_docs.WITHOUT_MODULE} == set(METHODS)
    assert not {*api_docs.COVERED_BY} & {*api_docs.WITHOUT_MODULE}
    assert all(api_docs.COVERED_BY.values()) and all(api_docs.WITHOUT_MODULE.values())


def test_every_module_that_is_named_exists():
    named = {part for parts in api_docs.COVERED_BY.values() for part in parts}
    assert [part for part in named if not api_docs.exists(part)] == []


@pytest.mark.parametrize("name", api_docs.COVERED_BY)
def test_every_parameter_has_an_option_or_a_reason(name):
    modules = {part.partition(":")[0] for part in api_docs.COVERED_BY[name]}
    options = set().union(*(MODULES[module].SPEC.argument_spec for module in modules))
    for parameter in api_docs.parameters(METHODS[name]):
        option = api_docs.option_of(name, parameter)
        assert option in options or api_docs.WITHOUT_OPTION.get(f"{name}.{parameter}"), parameter


def test_no_exception_outlives_its_cause():
    names = {f"{name}.{one}" for name, fact in METHODS.items() for one in api_docs.parameters(fact)}
    for one in (*api_docs.OPTIONS, *api_docs.WITHOUT_OPTION):
        assert one in names or any(name.endswith(f".{one}") for name in names), one


@pytest.mark.parametrize("name", api_docs.COVERED_BY)
def test_every_error_code_of_a_method_comes_with_advice(name):
    assert {*METHODS[name].get("errors", []), *api_docs.facts()["general_errors"]} <= set(CATALOGUE)


@pytest.mark.parametrize("path", api_docs.PAGES, ids=lambda path: path.name)
def test_the_generated_pages_are_up_to_date(path):
    assert path.read_text(encoding="utf-8") == api_docs.PAGES[path](), "run make docs-tables"
