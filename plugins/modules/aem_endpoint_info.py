#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_endpoint_info
short_description: Read endpoints of Qlik Replicate
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Returns the endpoints of one, several or all Replicate servers, filtered by name, type and role, and on request
    their settings without secrets.
  - An endpoint that does not exist is not a failure. There is a warning then, and its name is in RV(missing).
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.attributes.info
options:
  server:
    description:
      - The names of the servers, or globs (V(*), V(?), V([abc])), as Enterprise Manager displays them. Names are
        case-sensitive.
      - Without it, all servers that the user may see. That, and globs, ask for the role Viewer on All Servers. Servers
        named literally do not. Compose servers have no endpoints, and are left out unless one is named literally.
    type: list
    elements: str
  name:
    description:
      - The names of the endpoints, or globs. Names are case-sensitive.
    type: list
    elements: str
    aliases:
      - endpoint
  type:
    description:
      - Only endpoints of one of these types, as V(ORACLE), or as C(type_id) of an exported definition, as
        V(ORACLE_COMPONENT_TYPE). In upper or lower case. Spaces, hyphens and other characters count as an underscore,
        so that V(sql server) is V(SQL_SERVER).
      - The name of the type in the console is also accepted if it is known, as V(Microsoft SQL Server).
      - A type that is not known, and that no endpoint of these servers has, is refused with the nearest ones, as it is
        likely misspelled. Written as C(type_id), with C(_COMPONENT_TYPE) at its end, it is not.
    type: list
    elements: str
  role:
    description:
      - Only endpoints with one of these roles. One that is V(both) is neither a V(source) nor a V(target) here.
    type: list
    elements: str
    choices:
      - source
      - target
      - both
  settings:
    description:
      - Also return the settings. They are read by an export of the whole server, which an Admin of Enterprise Manager
        may do. For others, the tasks are searched for those that use the endpoints, which takes a call for each task,
        and these are exported. This works for a Viewer on All Tasks who is Operator on these tasks and on All
        Endpoints. Settings that cannot be read are V(null), and a warning names the endpoints.
      - Masked are texts that the server shows encrypted, and texts and numbers that have the name of a secret
        (O(dataops.qlik_em.aem_endpoint#module:settings) lists these names), also inside a text that is JSON. All else
        is returned as it is, also an empty secret.
    type: bool
    default: false
  on_server_error:
    description:
      - What to do if the endpoints of a server cannot be read, for example because it is not connected. V(skip) leaves
        them out, with a warning and an entry in RV(skipped_servers).
    type: str
    choices:
      - fail
      - skip
    default: fail
notes:
  - Reading the list needs the role Viewer on All Endpoints.
seealso:
  - module: dataops.qlik_em.aem_endpoint
  - module: dataops.qlik_em.aem_endpoint_test
"""

EXAMPLES = r"""
- name: Find the targets of a server
  dataops.qlik_em.aem_endpoint_info:
    server: Replicate-Prod
    role: target

- name: Find the Oracle databases of all servers that can be reached
  dataops.qlik_em.aem_endpoint_info:
    type: oracle
    on_server_error: skip

- name: Read the settings of one endpoint
  dataops.qlik_em.aem_endpoint_info:
    server: Replicate-Prod
    name: ERP
    settings: true
  register: erp

- name: Show its host
  ansible.builtin.debug:
    msg: "{{ erp.endpoints[0].settings.server }}"
"""

RETURN = r"""
endpoints:
  description:
    - The endpoints, each with the members that Enterprise Manager returns, by the guide's names, and the ones below.
  returned: success
  type: list
  elements: dict
  contains:
    server:
      description: The server.
      returned: always
      type: str
      sample: Replicate-Prod
    name:
      description: The endpoint.
      returned: always
      type: str
      sample: ERP
    description:
      description: The description.
      returned: if the server returns it
      type: str
      sample: The database of the shop
    role:
      description: The role. One of V(SOURCE), V(TARGET), V(BOTH).
      returned: always
      type: str
      sample: SOURCE
    type:
      description: The type.
      returned: always
      type: str
      sample: ORACLE
    is_licensed:
      description: Whether the licence of the server covers the type.
      returned: always
      type: bool
      sample: true
    settings:
      description: The settings (C(db_settings) of an export), with C(********) for each secret. Defaults are left out.
        V(null) if they cannot be read.
      returned: if O(settings=true)
      type: dict
      sample:
        $type: OracleSettings
        server: erp.corp.example:1521/ERP
        username: replicate
        password: "********"
missing:
  description:
    - The names, and the globs on servers, that nothing fits. There is a warning for each.
  returned: success
  type: list
  elements: str
  sample: []
skipped_servers:
  description: The servers that could not be read, with the reason.
  returned: success
  type: list
  elements: dict
  sample:
    - server: Replicate-Old
      error_code: AEM_SERVER_NOT_MONITORED
      error_message: The requested server "Replicate-Old" is not monitored.
      http_status: 500
      msg: 'GetEndpointList of server "Replicate-Old" failed: The requested server "Replicate-Old" is not monitored.'
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._endpoints import info
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    server={"type": "list", "elements": "str"},
    name={"type": "list", "elements": "str", "aliases": ["endpoint"]},
    type={"type": "list", "elements": "str"},
    role={"type": "list", "elements": "str", "choices": ["source", "target", "both"]},
    settings={"type": "bool", "default": False},
    on_server_error={"type": "str", "choices": ["fail", "skip"], "default": "fail"},
)
run = info.gather


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
