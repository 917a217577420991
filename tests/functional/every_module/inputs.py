# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What test_input.py tries: for each module valid options, and what must not be laid over them.

None leaves an option out. The texts {folder}, {file}, {empty}, {binary} and {huge} stand for an empty folder, and for
files in another one: a text, nothing, bytes that are not text, and 50 MB and a bit. {pipe} is a named pipe that nobody
writes to, {circle} a link to itself, and {astray} one to a file in a folder that does not exist.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import (
    BODY,
    NIGHTLY,
    definition,
)
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_servers import LICENCE, NEW

Row = tuple[dict[str, Any], str]  # the options, and what the message says

ORDERS = {"server": "Replicate-Prod", "name": "orders"}
ROLE = {"admin_role": {"users": ["admin@corp.example"]}}
FLEET = {"include": [{"server": "Replicate-Prod"}]}
NEW_ENDPOINT = {"name": "new", "type": "oracle", "role": "source"}
DAY = {"start": "2026-01-01", "end": "2026-01-02"}
PATTERN = {"owner": "A", "name": "%"}
REPLACE = {"state": "present", "definition": definition(), "import_mode": "replace"}
CLONE = {"name": "twin", "state": "present", "clone_of": "orders"}

FINE: dict[str, dict[str, Any]] = {
    "aem_acl": {"server": "Replicate-Prod", **ROLE},
    "aem_acl_info": {"server": "Replicate-Prod"},
    "aem_api": {"path": "servers"},
    "aem_audit_trail": DAY,
    "aem_change_data": {
        **ORDERS,
        "state": "barrier_present",
        "application": "nightly load",
        "retention_point": "2026-11-24",
    },
    "aem_change_data_info": ORDERS,
    "aem_endpoint": {"server": "Replicate-Prod", "name": "ERP"},
    "aem_endpoint_info": {"server": ["Replicate-Prod"]},
    "aem_endpoint_test": {"server": "Replicate-Prod", "name": "ERP"},
    "aem_estate": {**FLEET, "path": "{folder}/estate"},
    "aem_export": {"server": "Replicate-Prod", "dest": "{folder}/x.json"},
    "aem_heal": {**FLEET, "mode": "heal", "state_file": "{folder}/heal.json"},
    "aem_import": {"server": "Replicate-Prod", "definition": definition()},
    "aem_maintenance_window": {**FLEET, "state": "recorded", "path": "{folder}/checkpoint"},
    "aem_metrics": {"dest": "{folder}/qlik.prom"},
    "aem_report": {"dest": "{folder}/x.html"},
    "aem_schedule": {"server": "Replicate-Prod", **NIGHTLY},
    "aem_schedule_info": {"server": "Replicate-Prod"},
    "aem_server": {**NEW, "state": "present"},
    "aem_server_info": {"name": ["Replicate-Prod"]},
    "aem_server_license": {"server": "Replicate-Unlicensed", "license": LICENCE},
    "aem_session": {},
    "aem_table": {**ORDERS, "state": "resumed", "tables": [{"schema": "S", "table": "T"}]},
    "aem_table_info": ORDERS,
    "aem_table_selection": {**ORDERS, "included_pattern": [PATTERN]},
    "aem_table_selection_info": ORDERS,
    "aem_task": {**ORDERS, "state": "stopped"},
    "aem_task_batch": {**FLEET, "state": "stopped", "journal": "{folder}/journal"},
    "aem_task_info": ORDERS,
}


# How to connect, for any module.
CONNECTION: list[Row] = [
    ({"url": None}, "url is missing: give the option url or set QLIK_EM_URL."),
    ({"url": " "}, "url is missing"),
    ({"url": "http://em.example.com"}, "url must begin with https://"),
    ({"url": "ftp://em.example.com"}, 'url "ftp://em.example.com" is not in the form'),
    ({"url": "https://"}, "is not in the form"),
    ({"url": "https://em.example.com:0"}, "is not in the form"),
    ({"url": "https://em.example.com:99999"}, "is not in the form"),
    ({"url": "https://[::1"}, "is not in the form"),
    ({"url": "https://em.example.com/?a=b"}, "is not in the form"),
    ({"url": "https://em example.com"}, "is not in the form"),
    ({"url": "https://em%20example.com"}, "is not in the form"),
    ({"url": "https://me:secret@em.example.com"}, "must not contain a user or a password"),
    ({"username": "olga", "password": "with:colon"}, "password must not contain a colon"),
    ({"username": "a:b", "password": "s3cr3t"}, "username must not contain a colon"),
    ({"username": "a"}, "username needs password"),
    ({"password": "s3cr3t"}, "password needs username"),
    ({"username": "", "password": "s3cr3t"}, "password needs username"),
    ({"username": "a", "password": " "}, "password must not be empty"),
    (
        {"username": "olga", "password": "s3cr3t", "jwt": "t0k3n"},
        "Only one way to log in may be given, not username and jwt.",
    ),
    ({"api_token": "t1k3n", "jwt": "t0k3n"}, "Only one way to log in may be given, not api_token and jwt."),
    ({"session_id": "two words"}, "session_id must be one line"),
    ({"session_id": "é"}, "session_id must be one line"),
    ({"ca_path": "/nowhere/ca.pem"}, "ca_path (/nowhere/ca.pem) cannot be read: No such file or directory."),
    ({"client_cert": "/x.pem"}, "client_cert needs client_key"),
    ({"client_key": "/x.pem"}, "client_key needs client_cert"),
    ({"client_cert": "/x.pem", "client_key": "/x.pem"}, "cannot be read: No such file or directory"),
    ({"proxy": "https://proxy:3128"}, "proxy is not in the form"),
    ({"proxy": "proxy:3128"}, "proxy is not in the form"),
    ({"proxy": "http://pr%20xy:3128"}, "proxy is not in the form"),
]


def blank_names(*options: str, is_list: bool = False, may_be_empty: bool = False) -> list[Row]:
    """Return rows for options that name an object; ``may_be_empty``: an empty text means that it is not given."""
    return [
        ({option: [value] if is_list else value}, f"{option} must not be {says}")
        for option in options
        for value, says in {"": "empty or blank", "\t ": "empty or blank", ".": '"."', "..": '".."'}.items()
        if value or not may_be_empty
    ]


def spans(*options: str) -> list[Row]:
    """Return rows for options that are a number of seconds."""
    return [
        ({option: value}, f"{option} must be between")
        for option in options
        for value in (-1, 0, 86401, *(["nan", "inf"] if option == "wait_sleep" else []))
    ]


def scopes() -> list[Row]:
    """Return rows for the object that has an ACL."""
    return [
        *blank_names("server"),
        ({"scope": "task"}, "scope is task but all of the following are missing: task"),
        ({"scope": "endpoint"}, "scope is endpoint but all of the following are missing: endpoint"),
        ({"task": "orders"}, "task cannot be used with scope: server."),
        ({"scope": "tasks", "task": "orders"}, "task cannot be used with scope: tasks."),
        ({"scope": "task", "task": "orders", "endpoint": "ERP"}, "endpoint cannot be used with scope: task."),
        ({"scope": "task", "task": "."}, 'task must not be "."'),
        ({"scope": "endpoint", "endpoint": " "}, "endpoint must not be empty or blank."),
    ]


def starting(**base: Any) -> list[Row]:
    """Return rows for how a task is started."""
    at = {**base, "run_option": "resume_processing_from_timestamp"}
    form = "cdc_position must be a time in UTC, like 2026-11-25T18:00:00Z, not "
    made = "which YAML may have made from something else."
    starts = {"state": "started", **base}
    return [
        (at, "run_option: resume_processing_from_timestamp needs cdc_position."),
        ({**base, "run_option": "resume_processing_from_position", "cdc_position": " "}, "needs cdc_position"),
        ({**base, "run_option": "recover_using_checkpoint_stored_on_target"}, "needs cdc_position"),
        ({**base, "cdc_position": "1"}, "cdc_position cannot be used with run_option: resume_processing."),
        *(
            ({**at, "cdc_position": text}, f'{form}"{text}".')
            for text in ("2026-11-31T03:00:00", "11/25/2026 18:00:00", "1790000000", "2026-11-25T18:00.5", "now")
        ),
        *(
            ({**base, "run_option": "resume_processing_from_position", "cdc_position": value}, made)
            for value in (5349, 153070, 1.5, True, ["1"], {"a": 1})
        ),
        ({**at, "cdc_position": 1790000000}, f"cdc_position must be a string, not int 1790000000, {made}"),
        ({"state": "stopped", "wait_for": "finished"}, "wait_for cannot be used with state: stopped."),
        ({"state": "drained", "wait_for": "running"}, "wait_for cannot be used with state: drained."),
        (
            {**starts, "wait_for": "loaded", "wait": False},
            "wait_for: loaded waits: leave wait: false out, or wait_for.",
        ),
        ({**starts, "wait_for": "done"}, "value of wait_for must be one of"),
        ({**starts, "max_latency": 5}, "max_latency can only be used with wait_for: latency."),
        (
            {**starts, "wait_for": "latency", "max_latency": -1},
            "max_latency must be between 0 and 86400 seconds, not -1.",
        ),
        (
            {**starts, "run_option": "metadata_only_create_missing_tables", "wait_for": "loaded"},
            "run_option: metadata_only_create_missing_tables creates tables and stops by itself, so wait_for: loaded "
            "cannot be used with it.",
        ),
        (
            {**base, "run_option": "metadata_only_recreate_all_tables"},
            "run_option: metadata_only_recreate_all_tables drops the tables at the target: it needs force: true.",
        ),
        ({**base, "run_option": "reload_target"}, "value of run_option must be one of"),
    ]


def waves() -> list[Row]:
    """Return rows for the order of many tasks."""
    form = "waves must be auto, or a list of selectors (or such a list as a JSON string), not"
    both = {"before": [{"name": "orders"}], "after": [{"name": "invoices"}]}
    auto = {"waves": "auto"}
    return [
        *(({"waves": text}, f'{form} "{text}".') for text in (" ", "Auto", "soon", "server=x", "- server: x", "[{]")),
        ({"waves": "[" * 100000}, f'{form} "[[[['),
        ({"waves": 7}, f"{form} 7."),
        ({"waves": True}, f"{form} true."),
        ({"waves": {"server": "x"}}, f"{form} a mapping."),
        ({"waves": '{"server": "x"}'}, f"{form} a mapping."),
        ({"waves": ["auto"]}, 'Each of waves must be a selector, such as {server: Compose-DW}, not "auto".'),
        ({"waves": [["x"]]}, "Each of waves must be a selector, such as {server: Compose-DW}, not a list."),
        ({"waves": "[null]"}, "Each of waves must be a selector, such as {server: Compose-DW}, not null."),
        ({"waves": [{"colour": "red"}]}, "waves.colour. Supported parameters include: name, server, state, tag."),
        ({"waves": [{"state": ["asleep"]}]}, "value of state must be one or more of"),
        ({"waves": [{"tag": {"a": 1}}]}, "found in 'waves'. and we were unable to convert to list"),
        ({"waves": [{"name": "hush\n"}]}, "name in waves ends with a newline"),
        ({"waves": "auto\n"}, "waves ends with a newline"),
        ({"waves": [{"server": " "}]}, "server in waves must not be empty or blank."),
        ({"dependencies": [both]}, "dependencies can only be used with waves: auto."),
        ({"dependencies": [both], "waves": []}, "dependencies can only be used with waves: auto."),
        ({**auto, "dependencies": [{"before": [{"name": "x"}]}]}, "missing required arguments: after"),
        ({**auto, "dependencies": [{**both, "why": "x"}]}, "dependencies.why. Supported parameters include: after,"),
        (
            {**auto, "dependencies": [{**both, "after": []}]},
            "after in item 1 of dependencies must contain at least one",
        ),
        ({**auto, "dependencies": [both, {**both, "before": [{}]}]}, "selector in before in dependencies would select"),
    ]


def fleets() -> list[Row]:
    """Return rows for the selection of many tasks."""
    return [
        ({"include": []}, "include must contain at least one selector."),
        ({"include": None}, "include must contain at least one selector."),
        ({"include": [{}]}, 'An empty selector in include would select every task: write server: "*" for that.'),
        ({"exclude": [{"tag": []}]}, "An empty selector in exclude would select every task"),
        ({"waves": [{}]}, "An empty selector in waves would select every task"),
        *waves(),
        ({"include": [{"server": " "}]}, "server in include must not be empty or blank."),
        ({"include": [{"name": ".."}]}, 'name in include must not be "..": as a part of a URL'),
        ({"include": [{"state": ["asleep"]}]}, "value of state must be one or more of"),
        ({"parallel": 0}, "parallel must be between 1 and 256, not 0."),
        ({"parallel": 10000}, "parallel must be between 1 and 256, not 10000."),
        ({"parallel_per_server": 0}, "parallel_per_server must be between 1 and 256, not 0."),
        ({"max_failures": 0}, "max_failures must be between 1 and 1000000, not 0."),
        ({"results": "few"}, "value of results must be one of: failed, changed, all, none, got: few"),
    ]


def fleets_to_read() -> list[Row]:
    """Return rows for what only the lists of tasks show."""
    literal = {"include": [{"server": "Replicate-Prod", "name": "nope"}, {"server": "Replicate-Prod"}]}
    return [
        (literal, 'include names tasks that do not exist: "nope" on server "Replicate-Prod".'),
        (
            {"include": [{"server": "Replicate-Prod", "name": "x*"}]},
            "include selects no task. Set allow_empty: true if that is acceptable.",
        ),
        (
            {"waves": [{"name": "orders"}, {"tag": ["erp"]}]},
            'Task "orders" on server "Replicate-Prod" is in the waves 1 and 2: waves must not overlap.',
        ),
        (
            {"waves": "auto", "dependencies": [{"before": [{"server": "*"}], "after": [{"server": "*"}]}]},
            "before and after in item 1 of dependencies both select ",
        ),
        (
            {
                "waves": "auto",
                "dependencies": [
                    {"before": [{"name": "orders"}], "after": [{"name": "invoices"}]},
                    {"before": [{"name": "invoices"}], "after": [{"name": "orders"}]},
                ],
            },
            "The dependencies of the tasks form a cycle: Replicate-Prod/invoices -> Replicate-Prod/orders (item 2 of",
        ),
        ({"include": [{"server": "Nowhere"}]}, 'GetTaskList of server "Nowhere" failed'),
        ({"include": [{"server": "Replicate-Down"}]}, "cannot be reached"),
    ]


DEEP: dict[str, Any] = {}
for _level in range(200):
    DEEP = {"x": DEEP}
TWO = definition()
TWO[BODY]["tasks"] += definition("second")[BODY]["tasks"]
TWICE = {BODY: {"tasks": definition()[BODY]["tasks"] * 2}}


def files(option: str, verb: str = "written", **others: Any) -> list[Row]:
    """Return what is not a file, for an option that names one."""
    trouble = f"cannot be {verb}:"
    system = "is in a system folder that is not for files."
    rows: list[Row] = [
        ({option: "{folder}"}, f"{option} ({{folder}}) {trouble} it is a folder."),
        ({option: "{folder}/"}, f"{option} ({{folder}}/) {trouble} it is a folder."),
        ({option: "{pipe}"}, f"{option} ({{pipe}}) {trouble} it is a named pipe, not a file."),
        ({option: "{file}/x"}, f"{trouble} {{file}} is not a folder."),
        ({option: "{circle}"}, f"{trouble} {{circle}} is a link that leads back to itself."),
        ({option: "/dev/null"}, f"{option} (/dev/null) {trouble} /dev/null {system}"),
        ({option: "/dev/stdout"}, f"{option} (/dev/stdout) {trouble} /dev/stdout {system}"),
        ({option: "/dev/fd/0"}, f"{trouble} /dev/fd {system}"),
        ({option: "/proc/self/comm"}, f"{trouble} /proc/self {system}"),
        ({option: "a\0b"}, f"{option} contains a control character (U+0000)."),
        ({option: "{binary}"}, "it is UTF-16, not UTF-8. Save it as UTF-8"),
    ]
    if verb == "written":
        astray = f"{option} ({{astray}}, a link to /nowhere/x) {trouble} there is no folder /nowhere."
        rows.insert(0, ({option: "{astray}"}, astray))
    return [({**others, **row}, text) for row, text in rows]


def access() -> list[Row]:
    """Return what is wrong with the rights of a file."""
    rows: list[Row] = [
        *(
            ({"mode": mode}, "must be octal and in quotes")
            for mode in (" ", "preserve", "rw", "0888", "17777", "u=rw;g=r", "u", "x+r", True, 0.5, ["0644"], {})
        ),
        *(({"mode": number}, f"mode ({number}) is a decimal number") for number in (644, 640, 600, 400, 444, 9999, -1)),
        ({"owner": "nobody-of-that-name"}, "owner (nobody-of-that-name) does not exist: there is no user of that name"),
        ({"owner": " "}, "owner ( ) does not exist"),
        ({"owner": "-1"}, "owner (-1) does not exist"),
        ({"owner": str(2**32 - 1)}, "does not exist"),
        ({"group": "no-such-group"}, "group (no-such-group) does not exist: there is no group of that name"),
    ]
    return [({"dest": "{folder}/x", **row}, text) for row, text in rows]


def definitions(**base: Any) -> list[Row]:
    """Return rows for a replication definition and its file."""
    rows: list[Row] = [
        ({"definition": None}, "Give either definition or src."),
        ({"definition": definition(), "src": "x.json"}, "Give either definition or src, not both."),
        ({"definition": "not JSON"}, "definition is not JSON: syntax error at line 1, column 1."),
        ({"definition": "<html>"}, "definition is not JSON"),
        ({"definition": "// only a comment"}, "definition is empty."),
        ({"definition": " "}, "definition is empty."),
        ({"definition": [1]}, "definition must be a replication definition (an object), not list."),
        ({"definition": 7}, "definition must be a replication definition (an object), not int."),
        ({"definition": '{"a": NaN}'}, "definition is not JSON: NaN is not a JSON number"),
        ({"definition": "[" * 100000}, "definition is not JSON: it is nested too deeply."),
        ({"definition": {BODY: DEEP}}, "definition is not JSON: it is nested deeper than 100 levels."),
        (
            {"definition": {}},
            'definition is not a replication definition: it has no member "cmd.replication_definition"',
        ),
        ({"definition": {BODY: {"tasks": {}}}}, "tasks must be a list, but is a single object."),
        ({"definition": {BODY: {"tasks": [{"task": {}}]}}}, "an item of tasks has no name."),
        ({"definition": {BODY: {"tasks": [], "databases": [7]}}}, "an item of databases has no name."),
        ({"definition": TWICE}, 'definition has "fresh" twice in tasks.'),
        ({"definition": " " * (50 * 1024 * 1024 + 1)}, "definition is larger than 50 MB"),
        ({"src": "/nowhere/x.json"}, "src (/nowhere/x.json) cannot be read: No such file or directory."),
        *files("src", "read"),
        ({"src": "{empty}"}, "src ({empty}) is empty."),
        ({"src": "{file}"}, "is not JSON: syntax error at line 1, column 1."),
        ({"src": "{huge}"}, "is larger than 50 MB"),
        ({"src": " "}, "src must not be empty or blank."),
    ]
    return [({**base, **({"definition": None} if "src" in row else {}), **row}, text) for row, text in rows]


def patterns() -> list[Row]:
    """Return rows for the items of a table selection."""
    order = "load_order in included_pattern must be 0, a positive number or one of lowest, low, normal, high, highest"
    return [
        (
            {"included_pattern": None},
            "Nothing is selected: give at least one of included_pattern, excluded_pattern, explicit_included_tables.",
        ),
        ({"included_pattern": [{**PATTERN, "owner": ""}]}, "owner in included_pattern must not be empty or blank."),
        ({"excluded_pattern": [{**PATTERN, "name": " "}]}, "name in excluded_pattern must not be empty or blank."),
        ({"included_pattern": [{"owner": "A"}]}, "missing required arguments: name found in included_pattern"),
        ({"included_pattern": [{**PATTERN, "load_order": "soon"}]}, f'{order}, not "soon".'),
        ({"included_pattern": [{**PATTERN, "load_order": -1}]}, order),
        ({"included_pattern": [{**PATTERN, "load_order": "²"}]}, order),
        (
            {"excluded_pattern": [{**PATTERN, "table_type": "index"}]},
            'table_type in excluded_pattern must be table or view, not "index".',
        ),
        (
            {"explicit_included_tables": [PATTERN, {**PATTERN, "table_type": "view"}]},
            'explicit_included_tables contains "A.%" twice.',
        ),
        ({"included_pattern": [PATTERN, PATTERN]}, 'included_pattern contains "A.%" twice.'),
    ]
