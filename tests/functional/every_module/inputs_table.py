# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of test_input.py: for each module what must not be laid over options that are fine, and what is said."""

from __future__ import annotations

from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import BODY, definition
from ansible_collections.dataops.qlik_em.tests.functional.every_module.inputs import (
    CLONE,
    NEW_ENDPOINT,
    REPLACE,
    TWO,
    Row,
    access,
    blank_names,
    definitions,
    files,
    fleets,
    fleets_to_read,
    patterns,
    scopes,
    spans,
    starting,
)

WAITING = ("wait_timeout", "wait_sleep")
MOMENT = 'must be a time in UTC, like 2026-11-25T18:00:00Z, or how long ago it was, like 24h (m, h, d, w), not "{}".'
MOMENTS = (" ", "yesterday", "last 24 hours", "24", "h", "-24h", "999999999w", "2026-06-31", "2026-01-01T25:00:00Z")
DURATIONS = ("", "P", "PT", "P1DT", "30d", "P-1D", "P1.5D", "1M", "2026-13-01", "now")
RELOADS = "state: reloaded deletes the data at the target and loads it again: it needs force: true."
START_WHEN = [
    ({"start_when": {"timeout": 0}}, "start_when.timeout must be between 1 and 86400 seconds, not 0."),
    ({"start_when": {"max_latency": -1}}, "start_when.max_latency must be between 0 and 86400 seconds, not -1."),
    ({"start_when": {"stable_for": 0}}, "start_when.stable_for must be between 1 and 1000, not 0."),
    ({"start_when": {"on_timeout": "skip"}}, "value of on_timeout must be one of: go_on, stop, got: skip"),
]
OPEN = {"schema": 1, "recorded": "2026-11-25T11:00:00Z", "phase": "frozen", "selection": {}, "tasks": []}
APPLIED = {"state": "applied", "plan": "{folder}/plan.json"}
ENDPOINT = 'The endpoint "ERP" on server "Replicate-Prod" has the'

SCHEDULERS = (
    ([1], "definition is not a replication definition: scheduler must be an object with a list jobs."),
    ({"jobs": {}}, "scheduler must be an object with a list jobs."),
    ({"jobs": [{"schedule": "* * * * * *"}]}, "an item of scheduler.jobs has no name."),
    ({"jobs": [{"name": "a"}, {"name": "a"}]}, 'definition has "a" twice in scheduler.jobs.'),
)

# Nothing is sent.
BAD: dict[str, list[Row]] = {
    "aem_acl": [
        *scopes(),
        ({"viewer_role": {"users": ["a"]}, "operator_role": {"users": ["A"]}}, 'The user "a" would have two roles'),
        ({"viewer_role": {"groups": ["g"]}, "none_role": {"groups": ["G"]}}, 'The group "G" would have two roles'),
        ({"viewer_role": {"users": [" "]}}, "users of viewer_role must not contain empty or blank names."),
        ({"viewer_role": {"groups": [""]}}, "groups of viewer_role must not contain empty or blank names."),
        ({"admin_role": None}, "state: present needs a role or disable_inheritance"),
        ({"admin_role": None, "state": "replaced"}, "state: replaced needs a role"),
        ({"admin_role": None, "state": "absent"}, "it needs force: true."),
        ({"state": "absent", "force": True}, "force deletes the whole ACL, but the roles name parts of it"),
        ({"state": "absent", "disable_inheritance": True}, "disable_inheritance cannot be used with state: absent"),
        ({"reader_role": {"users": ["a"]}}, "reader_role"),
        ({"viewer_role": {"people": ["a"]}}, "viewer_role.people. Supported parameters include: groups, users."),
        ({"viewer_role": "a"}, "dictionary requested"),
    ],
    "aem_acl_info": scopes(),
    "aem_api": [
        ({"path": "login"}, "path must not be login"),
        ({"path": "/Logout/", "method": "post"}, "path must not be Logout"),
        ({"path": ["LOGIN", "x"]}, "path must not be LOGIN"),
        ({"path": "servers?action=x"}, 'path must not contain "?" when it is a string. Use query'),
        ({"path": "servers/a#b"}, 'path must not contain "#"'),
        ({"path": "/attunityenterprisemanager/api/v1/servers"}, "path must begin below /api/v1"),
        ({"path": "api/v1/servers"}, "path must begin below /api/v1"),
        ({"path": ""}, "A part of path must not be empty"),
        ({"path": "servers//tasks"}, "A part of path must not be empty"),
        ({"path": "servers/../x"}, 'A part of path must not be ".."'),
        ({"path": []}, "path must be a string, like servers/Replicate-Prod, or a non-empty list"),
        ({"path": {"a": 1}}, "path must be a string, like"),
        ({"path": ["servers", None]}, "A part of path must not be empty"),
        ({"query": {"a": [1]}}, "query.a must be a string, a number or a boolean"),
        ({"body": {"a": 1}}, "body cannot be used with method: get"),
        ({"method": "post", "body": 3}, "body must be a dictionary, a list or a string"),
    ],
    "aem_audit_trail": [
        *(({option: value}, f"{option} {MOMENT.format(value)}") for option in ("start", "end") for value in MOMENTS),
        ({"start": "1h", "end": "2h"}, "is before start"),
        ({"start": "2026-01-02", "end": "2026-01-01T23:59:59Z"}, "end (2026-01-01T23:59:59Z) is before start"),
        ({"backup": True}, "backup is True but all of the following are missing: dest"),
        ({"dest": "/nowhere/x"}, "dest (/nowhere/x) cannot be written: there is no folder /nowhere."),
        *files("dest"),
        *access(),
        ({"dest": " "}, "dest must not be empty or blank."),
        *(({option: "0", "dest": None}, f"{option} needs dest: without it") for option in ("mode", "owner", "group")),
    ],
    "aem_change_data": [
        *blank_names("server", "name"),
        ({"retention_point": "P30D"}, 'retention_point must be a time in UTC, like 2026-11-25T18:00:00Z, not "P30D"'),
        ({"retention_point": " "}, "retention_point must be a time"),
        ({"retention_point": None}, "state is barrier_present but all of the following are missing: retention_point"),
        ({"application": " "}, "application must not be empty or blank"),
        ({"application": None}, "missing: application"),
        ({"state": "barrier_absent", "application": None}, "missing: application"),
        ({"state": "barrier_absent", "application": ""}, "application must not be empty or blank"),
        ({"state": "deleted"}, "missing: timestamp_or_offset"),
        (
            {"state": "deleted", "timestamp_or_offset": "P30D"},
            "state: deleted deletes change data for good: it needs force: true.",
        ),
        *(
            ({"state": "deleted", "force": True, "older_than": value}, "timestamp_or_offset must be a time in UTC")
            for value in DURATIONS
        ),
    ],
    "aem_change_data_info": blank_names("server", "name"),
    "aem_endpoint": [
        *blank_names("server", "name"),
        *spans(*WAITING),
        ({"settings": {"password": 815}}, "settings.password must be a string: write it in quotes."),
        (
            {"settings": {"clientSecret": {"port": 1}}},
            "settings.clientSecret.port must be a string: write it in quotes.",
        ),
        ({"secrets": {"deep": {"pin": 815}}}, "secrets.deep.pin must be a string: write it in quotes."),
        ({"settings": {"a": {"b": 1}}, "secrets": {"a": {"b": "x"}}}, "a.b is given in settings and in secrets"),
        ({"settings": {"a": 1}, "secrets": {"a": {"b": "x"}}}, "secrets.a is a mapping, but settings.a is not."),
        ({"settings": "no mapping"}, "settings"),
        *(
            ({"state": state, "configuration": "x" if state == "reconfigured" else None, **one}, "cannot be used with")
            for state in ("absent", "reconfigured")
            for one in (
                {"settings": {"a": 1}},
                {"settings_type": "OracleSettings"},
                {"type": "oracle"},
                {"role": "both"},
                {"description": ""},
            )
        ),
        ({"state": "absent", "secrets": {"a": "something"}}, "secrets cannot be used with state: absent."),
        (
            {"state": "absent", "configuration": "x"},
            "configuration is required with state: reconfigured, and cannot be used with any other state",
        ),
        ({"state": "reconfigured"}, "configuration is required with state: reconfigured"),
        ({"state": "reconfigured", "configuration": "ERP"}, "configuration must name a different endpoint than name."),
        ({"state": "reconfigured", "configuration": ".."}, 'configuration must not be ".."'),
        ({**NEW_ENDPOINT, "type": " "}, "type must not be empty or blank"),
        ({"type": "---"}, 'type "---" is not a type: it contains neither a letter nor a digit.'),
        ({**NEW_ENDPOINT, "settings_type": " "}, "settings_type must not be empty or blank"),
        ({"settings_type": "A", "settings": {"$type": "B"}}, 'settings_type is "A", but settings.$type is "B"'),
        ({**NEW_ENDPOINT, "role": "sink"}, "value of role must be one of: source, target, both, got: sink"),
    ],
    "aem_endpoint_info": blank_names("server", "name", is_list=True)
    + blank_names("type", is_list=True)[:2]
    + [({"type": ["oracle", "---"]}, 'type "---" is not a type')],
    "aem_endpoint_test": blank_names("server", "name") + spans("timeout"),
    "aem_export": [
        *blank_names("server", "name"),
        *files("dest"),
        *access(),
        ({"dest": "/nowhere/x.json"}, "dest (/nowhere/x.json) cannot be written: there is no folder /nowhere."),
        ({"dest": " "}, "dest must not be empty or blank."),
        *(
            (
                {"secrets": "keep", "mode": mode},
                f'mode ("{mode}") would give others access to the file, but it contains secrets',
            )
            for mode in ("0640", "0601", "g+r", "a=rw", "u=rw,o=r", "g=u", "+r")
        ),
        ({"objects": []}, "objects must name at least one kind of object."),
        ({"objects": ["databases"]}, "value of objects must be one or more of: tasks, endpoints, schedules, "),
    ],
    "aem_estate": [
        *(({"include": value}, "include must contain at least one selector.") for value in ([], None)),
        ({"include": [{}]}, 'An empty selector in include would select every task: write server: "*" for that.'),
        ({"include": [{"name": ".."}]}, 'name in include must not be "..": as a part of a URL'),
        ({"include": [{"server": "*", "tag": ["a"]}]}, "include.tag. Supported parameters include: name, server."),
        ({"parallel": 0}, "parallel must be between 1 and 256, not 0."),
        ({"path": None}, "missing required arguments: path"),
        ({"path": ""}, "path must not be empty or blank."),
        ({"path": "/nowhere/x"}, "path (/nowhere/x) cannot be used: there is no folder /nowhere."),
        ({"path": "{file}"}, "path ({file}) cannot be used: it is not a folder."),
        ({"path": "{pipe}"}, "path ({pipe}) cannot be used: it is not a folder."),
        ({"path": "{circle}"}, "is a link that leads back to itself"),
        ({"path": "/proc/self/x"}, "is in a system folder that is not for files"),
        *(
            ({"state": state}, f"state is {state} but all of the following are missing: plan")
            for state in ("planned", "applied", "backed_out")
        ),
        ({**APPLIED, "plan": "/nowhere/plan.json"}, "plan (/nowhere/plan.json) cannot be written: there is no folder"),
        ({**APPLIED, "wait_sleep": 0}, "wait_sleep must be between 0.1 and 86400 seconds, not 0.0."),
        ({**APPLIED, "wait_timeout": 0}, "wait_timeout must be between 1 and 86400 seconds, not 0."),
        ({**APPLIED, "timeout": 0}, "timeout must be between 1 and 86400 seconds, not 0."),
        ({**APPLIED, "parallel_per_server": 0}, "parallel_per_server must be between 1 and 256, not 0."),
        ({**APPLIED, "secrets": {"Prod": "x"}}, "secrets.Prod must be a mapping: by server, then by endpoint"),
        ({**APPLIED, "secrets": {"Prod": {"ERP": "x"}}}, "secrets.Prod.ERP must be a mapping: by server, then by"),
        (
            {**APPLIED, "secrets": {"Prod": {"ERP": {"password": "hush\n"}}}},
            "secrets.Prod.ERP.password ends with a newline",
        ),
        ({**APPLIED, "prune": "always"}, "value of prune must be one of: report, confirm, got: always"),
    ],
    "aem_heal": [
        *(({"include": value}, "include must contain at least one selector.") for value in ([], None)),
        ({"include": [{}]}, 'An empty selector in include would select every task: write server: "*" for that.'),
        ({"release": [{"tag": []}]}, "An empty selector in release would select every task"),
        ({"include": [{"name": ".."}]}, 'name in include must not be "..": as a part of a URL'),
        ({"include": [{"server": "*", "state": ["error"]}]}, "include.state. Supported parameters include: name,"),
        ({"sick_states": ["running"]}, "value of sick_states must be one or more of: error, stopped. Got no match for"),
        ({"parallel": 0}, "parallel must be between 1 and 256, not 0."),
        ({"max_failures": 0}, "max_failures must be between 1 and 1000000, not 0."),
        ({"max_restarts": 0}, "max_restarts must be between 1 and 100, not 0."),
        ({"within": 0}, "within must be between 1 and 2592000, not 0."),
        ({"never_if": {"messages": [""]}}, "An empty string in never_if.messages would match every message"),
        ({"never_if": {"error": ["x"]}}, "never_if.error. Supported parameters include: messages, stop_reasons."),
        ({"state_file": None}, "mode: heal needs state_file: without it, no run would know of earlier restarts"),
        ({"memory": {}}, "Only one of state_file and memory may be given."),
        ({"state_file": None, "memory": {"a": 1}}, "(option memory) is damaged or was edited: it is not a memory of"),
        ({"state_file": "/nowhere/x"}, "state_file (/nowhere/x) cannot be written: there is no folder /nowhere."),
        ({"state_file": "{file}"}, "The memory ({file}) is damaged or was edited: it is not JSON. Nothing was done."),
        ({"windows": ["{folder}/w"]}, "There is no checkpoint {folder}/w (windows), so it is not known whether a"),
        *(({"windows": [f"a{sign}b"]}, "windows contains a control character") for sign in "\0\n\t\x1b"),
        ({"windows": ["{file}"]}, "The checkpoint ({file}) is damaged: it is not JSON. Nothing was done."),
        ({"windows": ["{binary}"]}, "windows ({binary}) cannot be read: it is UTF-16, not UTF-8."),
        *files("state_file")[:-1],
        *files("results_dest")[:-1],
        *spans("timeout", "max_latency", *WAITING),
    ],
    "aem_import": [
        ({"objects": []}, "objects must name at least one kind of object."),
        ({"objects": ["crons"]}, "value of objects must be one or more of: tasks, endpoints, schedules, "),
        *(({"objects": ["schedules"], "definition": {BODY: {"scheduler": value}}}, text) for value, text in SCHEDULERS),
        *blank_names("server"),
        *spans(*WAITING),
        *definitions(),
        ({"definition": {BODY: {}}}, "definition is empty: it contains neither tasks nor endpoints nor anything else."),
        ({"definition": {BODY: {"tasks": [], "databases": []}}}, "definition is empty"),
        ({"definition": {"tasks": []}}, "definition is not a replication definition"),
    ],
    "aem_maintenance_window": [
        *fleets(),
        ({"state": "frozen"}, "There is no checkpoint {folder}/checkpoint: nothing was done."),
        ({"state": "restored"}, "make sure that its volume is mounted."),
        ({"state": "frozen", "path": None}, "state: frozen needs either path or checkpoint."),
        ({"state": "restored", "checkpoint": {}}, "state: restored needs either path or checkpoint."),
        (
            {"state": "restored", "checkpoint": {}, "path": None},
            "(option checkpoint) is damaged: it is not a checkpoint",
        ),
        ({"drain": {"timeout": 0}}, "drain.timeout must be between 1 and 86400 seconds, not 0."),
        ({"checkpoint": {}}, "checkpoint cannot be used with state: recorded, which creates one."),
        ({"path": "/nowhere/x"}, "path (/nowhere/x) cannot be written: there is no folder /nowhere."),
        *files("path")[:-1],
        *files("results_dest")[:-1],
        ({"path": "{file}"}, "The checkpoint ({file}) is damaged: it is not JSON. Nothing was done."),
        ({"path": "{file}", "state": "frozen"}, "is damaged: it is not JSON. Nothing was done."),
        ({"path": "{binary}", "state": "frozen"}, "path ({binary}) cannot be read: it is UTF-16, not UTF-8."),
        *(
            ({"state": "frozen", "path": None, "checkpoint": {**OPEN, "enterprise_manager": "{address}"}, **one}, text)
            for one, text in [
                *spans("timeout", *WAITING),
                ({"drain": {"timeout": 0}}, "drain.timeout must be between 1 and 86400 seconds, not 0."),
                ({"drain": {"max_latency": -1}}, "drain.max_latency must be between 0 and 86400 seconds, not -1."),
                *START_WHEN,
                ({"restart_margin": -1}, "restart_margin must be between 0 and 86400 seconds, not -1."),
                ({"state": "restored", "from": "safe_point"}, "arrive at the target twice: it needs force: true."),
                ({"from": "the_start"}, "value of from must be one of: where_it_stopped, safe_point, got: the_start"),
            ]
        ),
    ],
    "aem_metrics": [
        *blank_names("server", "name", is_list=True),
        *files("dest"),
        *access(),
        ({"dest": "/nowhere/x"}, "dest (/nowhere/x) cannot be written: there is no folder /nowhere."),
        ({"parallel": 0}, "parallel must be between 1 and 256, not 0."),
        ({"parallel": 257}, "parallel must be between 1 and 256, not 257."),
    ],
    "aem_report": [
        *files("dest"),
        *access(),
        ({"dest": "/nowhere/x.html"}, "dest (/nowhere/x.html) cannot be written: there is no folder /nowhere."),
        ({"dest": " "}, "dest must not be empty or blank."),
        *blank_names("server", is_list=True),
        ({"parallel": 0}, "parallel must be between 1 and 256, not 0."),
        ({"result": {"msg": "x"}}, "result has no rows of tasks. Give what aem_task_batch, aem_maintenance_window or"),
        ({"result": {"tasks": ["x"]}}, "result has no rows of tasks."),
        ({"result": {"tasks": [{"server": "x"}]}}, "Row 1 of result does not name a task (server and name)."),
        ({"result": {"tasks": []}, "server": ["x"]}, "server cannot be used with result or rows_file: the page shows"),
        ({"result": {"steps": "x"}}, "The steps of result are not those of a plan. Give what aem_estate has returned"),
        ({"rows_file": "{folder}/rows"}, "rows_file ({folder}/rows) cannot be read: there is no such file."),
        ({"rows_file": "{file}"}, "Line 1 of rows_file ({file}) is not JSON. Give what"),
        ({"rows_file": "{binary}"}, "rows_file ({binary}) cannot be read: it is UTF-16, not UTF-8."),
        ({"history": "{file}"}, "history ({file}) is damaged, or is another file: line 1 is not a run that aem_report"),
        ({"history": "{folder}/x.html"}, "history ({folder}/x.html) is the file of dest, which would overwrite it."),
        *files("history")[:-1],
    ],
    "aem_schedule": [
        *blank_names("server"),
        *spans(*WAITING),
        ({"name": " "}, "name must not be empty or blank."),
        *(
            ({"cron": text}, f"cron cannot be used: {says}")
            for text, says in {
                "30 2": '"30 2" has 2 fields, not six: minute, hour, day, month, weekday and year',
                "60 * * * * *": 'the minute "60" is not understood: 0 to 59,',
                "* 24 * * * *": 'the hour "24" is not understood: 0 to 23,',
                "* * 0 * * *": 'the day "0" is not understood: 1 to 31,',
                "* * * 13 * *": 'the month "13" is not understood: 1 to 12, or JAN to DEC,',
                "* * * * 0 *": 'the weekday "0" is not understood: 1 to 7, or MON to SUN,',
                "* * * * * 26": 'the year "26" is not understood: 1970 to 2099,',
                "* * * * FRI-MON *": 'the weekday "FRI-MON" is not understood (it ends before it begins): 1 to 7,',
                "* * */2 * * *": 'the day "*/2" is not understood: the server reads it as a week of the month',
                "* * * * */3 *": 'the weekday "*/3" is not understood: the server reads it as an interval, */5 to',
            }.items()
        ),
        ({"tasks": []}, "tasks must name at least one task"),
        ({"tasks": ["*", "orders"]}, '"*" in tasks means all tasks of the server: it must be the only item.'),
        ({"tasks": [" "]}, "tasks must be a list of task names"),
        ({"tasks": ["orders,invoices"]}, "one per item and without commas"),
        ({"action": "explode"}, "value of action must be one of: start, reload, stop, got: explode"),
        *(
            (
                {"state": "absent", **dict.fromkeys(("cron", "action", "tasks"), None), **one},
                "cannot be used with state",
            )
            for one in ({"cron": "* * * * * *"}, {"local_time": True}, {"action": "stop"}, {"tasks": ["orders"]})
        ),
    ],
    "aem_schedule_info": [*blank_names("server"), ({"name": [" "]}, "name must not be empty or blank.")],
    "aem_server": [
        *blank_names("name"),
        *spans(*WAITING),
        ({"host": " "}, "host must not be empty or blank."),
        ({"server_username": " "}, "server_username must not be empty or blank."),
        ({"server_password": " "}, "server_password must not be empty or blank."),
        ({"port": 0}, "port must be between 1 and 65535, not 0."),
        ({"port": 65536}, "port must be between 1 and 65535, not 65536."),
        ({"update_password": "always", "server_password": None}, "update_password: always needs server_password."),
        ({"wait": True, "monitored": False}, "wait cannot be used with monitored: false"),
        ({"wait": True, "state": "absent"}, "wait cannot be used with state: absent"),
    ],
    "aem_server_info": blank_names("name", is_list=True),
    "aem_server_license": [
        *blank_names("server"),
        ({"license": None}, "Give the licence in either license or src."),
        ({"src": "/etc/hostname"}, "Give the licence in either license or src."),
        ({"license": " \n"}, "license contains no licence: it is empty."),
        ({"license": "x" * 16385}, "license contains no licence: it has 16385 characters"),
        ({"license": None, "src": "/nowhere/licence"}, "src (/nowhere/licence) cannot be read: there is no such file."),
        *files("src", "read", license=None),
        ({"license": None, "src": "{empty}"}, "src ({empty}) contains no licence: it is empty."),
    ],
    "aem_session": [({"state": "absent"}, "state: absent needs session_id (or QLIK_EM_SESSION_ID)")],
    "aem_table": [
        *blank_names("server", "name"),
        *spans(*WAITING),
        ({"tables": None}, "No table is given: use schema and table, or at least one item in tables."),
        ({"tables": []}, "No table is given"),
        ({"schema": "SALES"}, "schema and table together name one table: give both, or neither."),
        ({"table": "ORDERS"}, "schema and table together name one table"),
        ({"schema": " ", "table": "T"}, "schema must not be empty or blank."),
        ({"schema": "S", "table": ""}, "table must not be empty or blank."),
        ({"tables": [{"schema": "S", "table": ".."}]}, 'table in tables must not be "..": as a part of a URL'),
        ({"tables": [{"schema": "", "table": "T"}]}, "schema in tables must not be empty or blank."),
        ({"tables": [{"schema": "S"}]}, "missing required arguments: table found in tables"),
        ({"state": "reloaded"}, RELOADS),
    ],
    "aem_table_info": blank_names("server", "name")
    + blank_names("schema_pattern", "table_pattern", may_be_empty=True)
    + blank_names("schema", "table", is_list=True),
    "aem_table_selection": [
        *blank_names("server", "name"),
        *(({"state": state, **one}, text) for state in ("present", "replaced", "absent") for one, text in patterns()),
    ],
    "aem_table_selection_info": blank_names("server", "name"),
    "aem_task": [
        *blank_names("server", "name"),
        *spans("timeout", *WAITING, "connect_timeout", "request_timeout"),
        *starting(state="started"),
        *starting(state="restarted"),
        *definitions(state="present"),
        *(({"state": "present", "definition": definition(), **one}, text) for one, text in spans("timeout", *WAITING)),
        ({"state": "reloaded"}, RELOADS),
        ({"state": "present", "definition": {BODY: {}}}, "definition contains no task."),
        ({"state": "present", "definition": TWO}, "definition contains 2 tasks (fresh, second), not one."),
        (
            {"state": "present", "definition": {BODY: {"tasks": [], "scheduler": {}}}},
            "definition contains scheduler, which belong to a whole server: import it with aem_import",
        ),
        (REPLACE, "import_mode is replace but all of the following are missing: backup_dir"),
        ({**REPLACE, "backup_dir": "{folder}"}, "it needs force: true."),
        ({**REPLACE, "backup_dir": "/nowhere", "force": True}, "backup_dir (/nowhere) is not a folder"),
        (
            {**REPLACE, "backup_dir": "{file}", "force": True},
            "is not a folder: the old definition could not be saved.",
        ),
        *(
            ({"state": state, "definition": definition()}, "definition can only be used with state: present.")
            for state in ("absent", "started", "stopped", "restarted")
        ),
        ({"state": "absent", "src": "x"}, "src can only be used with state: present."),
        *(
            ({**CLONE, **one}, text)
            for one, text in blank_names("clone_of", "source_endpoint", "target_endpoint", may_be_empty=True)
        ),
        *(({**CLONE, **one}, text) for one, text in spans(*WAITING)),
        ({**CLONE, "name": "orders"}, "clone_of and name are the same"),
        ({**CLONE, "definition": definition()}, "Give either clone_of or a definition"),
        ({"state": "present", "target_endpoint": "Warehouse"}, "target_endpoint can only be used with clone_of."),
        ({"state": "stopped", "clone_of": "orders"}, "clone_of can only be used with state: present."),
        ({"state": "absent", "wait_for": "finished"}, "wait_for cannot be used with state: absent."),
        *(
            ({"state": state, "drain": {}}, "drain can only be used with state: drained.")
            for state in ("absent", "started", "stopped", "restarted")
        ),
        ({"state": "drained", "drain": {"timeout": 0}}, "drain.timeout must be between 1 and 86400 seconds, not 0."),
    ],
    "aem_task_batch": [
        *fleets(),
        (
            {"waves": "auto", "reverse": True},
            "reverse cannot be used with waves: auto, whose order follows from state.",
        ),
        *starting(state="started"),
        *spans("timeout", *WAITING),
        ({"drain": {"timeout": 0}}, "drain.timeout must be between 1 and 86400 seconds, not 0."),
        ({"drain": {"max_latency": -1}}, "drain.max_latency must be between 0 and 86400 seconds, not -1."),
        *(({"state": "started", **one}, text) for one, text in START_WHEN),
        (
            {"state": "stopped", "start_when": {}},
            "start_when cannot be used with state: stopped. To wait before a stop,",
        ),
        ({"state": "reloaded"}, "value of state must be one of: started, stopped, drained, restarted, got: reloaded"),
        ({"journal": "/nowhere/x"}, "journal (/nowhere/x) cannot be written: there is no folder /nowhere."),
        *files("journal")[:-1],
        *files("results_dest")[:-1],
        ({"journal": "{file}"}, "journal ({file}) is damaged at line 1."),
        ({"journal": "{binary}"}, "journal ({binary}) cannot be read: it is UTF-16, not UTF-8."),
    ],
    "aem_task_info": blank_names("server", "name", is_list=True),
}

# Reads are sent, as nobody else knows what there is.
BAD_TO_READ: dict[str, list[Row]] = {
    "aem_acl": [
        ({"scope": "task", "task": "nothing"}, 'task "nothing" on server "Replicate-Prod"'),
        ({"scope": "endpoint", "endpoint": "nothing"}, 'endpoint "nothing" on server "Replicate-Prod"'),
        ({"server": "Nowhere"}, 'server "Nowhere"'),
    ],
    "aem_acl_info": [({"server": "Nowhere"}, 'server "Nowhere"')],
    "aem_change_data": [({"name": "nothing"}, '"nothing"'), ({"server": "Nowhere"}, 'server "Nowhere"')],
    "aem_change_data_info": [({"name": "nothing"}, 'task "nothing"'), ({"server": "Nowhere"}, 'server "Nowhere"')],
    "aem_endpoint": [
        ({"type": "sqlserver"}, f"{ENDPOINT} type oracle, not sqlserver, and the API cannot change it."),
        ({"role": "both"}, f"{ENDPOINT} role source, not both, and the API cannot change it."),
        ({"name": "new"}, 'There is no endpoint "new" on server "Replicate-Prod". To create it, type and role must'),
        ({"name": "new", "type": "oracle"}, "To create it, role must be given."),
        ({**NEW_ENDPOINT, "type": "Tape"}, 'The type "Tape" is not known, and no readable endpoint has it.'),
        ({**NEW_ENDPOINT, "type": "CUSTOM"}, "The settings class of type CUSTOM is not known"),
        ({"settings_type": "SnowflakeSettings"}, 'settings.$type is "OracleSettings" and cannot be changed'),
        ({"settings": {"$type": "SnowflakeSettings"}}, 'settings.$type is "OracleSettings" and cannot be changed'),
        ({"settings": {"$type": None}}, "settings.$type is"),
        ({"state": "reconfigured", "configuration": "nothing"}, 'There is no endpoint "nothing" on server'),
        ({"state": "reconfigured", "configuration": "Warehouse"}, "Only Oracle source endpoints can be reconfigured"),
        ({"server": "Nowhere"}, 'server "Nowhere"'),
    ],
    "aem_endpoint_info": [
        ({"server": ["Nowhere"]}, 'server "Nowhere"'),
        ({"type": ["Orakle"]}, 'The type "Orakle" is not known, and no readable endpoint has it. Did you mean ORACLE'),
    ],
    "aem_endpoint_test": [({"name": "nothing"}, 'endpoint "nothing" on server "Replicate-Prod"')],
    "aem_export": [({"name": "nothing"}, 'task "nothing"'), ({"server": "Nowhere"}, 'server "Nowhere"')],
    "aem_estate": [({"include": [{"server": "Nowhere"}]}, 'server "Nowhere"')],
    "aem_heal": fleets_to_read()[:2],
    "aem_import": [({"server": "Nowhere"}, 'server "Nowhere"')],
    "aem_maintenance_window": fleets_to_read(),
    "aem_schedule": [
        ({"server": "Nowhere"}, 'server "Nowhere"'),
        (
            {"tasks": ["nothing"]},
            'There is no task "nothing" on server "Replicate-Prod": the schedule would do nothing.',
        ),
        ({"cron": None, "action": None}, "To create it, cron and action must be given."),
        ({"tasks": None, "state": "disabled"}, "To create it, tasks must be given."),
        (
            {"name": "nightly reload", "tasks": ["*"]},
            "is for customers full load, and an import cannot remove these names to make it a schedule for all tasks.",
        ),
    ],
    "aem_schedule_info": [({"server": "Nowhere"}, 'server "Nowhere"')],
    "aem_server": [
        ({option: None}, f'There is no server "Replicate-New" yet, and a new one needs {option}.')
        for option in ("type", "host", "server_username", "server_password")
    ]
    + [({"name": "Compose-DW"}, "is of type compose, which cannot be changed to replicate.")],
    "aem_server_license": [({"server": "Nowhere"}, 'There is no server "Nowhere": the licence was not sent.')],
    "aem_table": [
        ({}, 'The task "orders" on server "Replicate-Prod" has no table "S.T".'),
        ({"name": "nothing"}, 'task "nothing"'),
    ],
    "aem_table_info": [({"name": "nothing"}, 'task "nothing"')],
    "aem_table_selection": [({"name": "nothing"}, 'task "nothing"')],
    "aem_table_selection_info": [({"name": "nothing"}, 'task "nothing"')],
    "aem_task": [
        ({"name": "nothing", "state": "started"}, 'task "nothing" on server "Replicate-Prod"'),
        ({"state": "absent"}, "is RUNNING: it must be stopped before it can be deleted."),
        ({"state": "present", "definition": definition("orders", x=1)}, "it must be stopped before it can be changed."),
    ],
    "aem_task_batch": fleets_to_read(),
    "aem_task_info": [({"server": ["Nowhere"]}, 'server "Nowhere"')],
}
assert set(BAD_TO_READ) <= set(BAD)
