# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The forms of the answers, one for each method that has one: what the collection reads of them.

How a form is written is in ``shapes``. What real servers may leave out is optional, and what is not read is not here
(docs/enterprise_manager_api.md, 4.14).
"""

from __future__ import annotations

from .shapes import compiled

# The member that every export has (docs/enterprise_manager_api.md, 9.1).
DEFINITION = "cmd.replication_definition"

SERVERS = compiled({"serverList": [{"name": str, "$type?": str, "type?": str, "configuration?": dict}]})
# The envelope as the SDKs read it, and as the guide writes it (docs/enterprise_manager_api.md, 6.2).
SERVER_DETAILS = compiled(
    {
        "server_details|serverDetails": {
            "name?": str,
            "$type?": str,
            "type?": str,
            "state": str,
            "version?": str,
            "configuration?": dict,
            "license?": {"state?": str, "issue_date?": str, "expiration?": str},
        }
    }
)
SERVER = compiled(
    {
        "name": str,
        "$type?": str,
        "type?": str,
        "description?": str,
        "host?": str,
        "port?": (str, int),
        "username?": str,
        "verify_server_certificate?": bool,
        "monitored?": bool,
    }
)
TASKS = compiled(
    {"taskList": [{"name": str, "state": str, "stop_reason?": str, "message?": str, "assigned_tags?": [str]}]}
)
# Its counters, times and options may be anything: who reads them copes with that.
TASK_DETAILS = compiled(
    {
        "state": str,
        "task_stop_reason?": str,
        "stop_reason?": str,
        "message?": str,
        "assigned_tags?": [str],
        "source_endpoint?": {"name?": str},
        "target_endpoint?": {"name?": str},
    }
)
TASK_STATE = compiled({"state": str, "error_message?": str})
_TASK = {"name": str, "source_name?": str, "target_names?": [str]}
DEFINITIONS = compiled(
    {
        DEFINITION: {
            "tasks?": [{"task": _TASK}],
            "databases?": [{"name": str, "description?": str, "db_settings?": dict}],
        }
    }
)
BARRIER = compiled({"application?": str, "retention_point?": str})
TABLES = compiled({"tablelist": [{"schema": str, "table": str, "state?": str}]})
TABLE_STATUSES = compiled(
    {
        "table_details": [
            {
                "schema_on_source|schema": str,
                "table_on_source|table": str,
                "state?": str,
                "table_full_load_info?": dict,
            }
        ]
    }
)
_SELECTED = [{"owner": str, "name": str, "load_order?": (str, int), "table_type?": str}]
TABLE_SELECTION = compiled(
    {"included_pattern?": _SELECTED, "excluded_pattern?": _SELECTED, "explicit_included_tables?": _SELECTED}
)
ENDPOINTS = compiled({"endpointList": [{"name": str, "type": str, "role": str, "description?": str}]})
# The guide contradicts itself on these (docs/enterprise_manager_api.md, 6.36).
TEST = compiled(
    {
        "status?": str,
        "state?": str,
        "requeststate?": str,
        "message?": str,
        "error_message?": str,
        "detailed_message?": str,
    }
)
_ROLE = {"users?": [{"name": str}], "groups?": [{"name": str}]}
ACL = compiled(
    {
        "admin_role?": _ROLE,
        "designer_role?": _ROLE,
        "operator_role?": _ROLE,
        "viewer_role?": _ROLE,
        "none_role?": _ROLE,
        "disable_inheritance?": bool,
    }
)
