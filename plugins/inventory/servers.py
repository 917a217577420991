# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: servers
short_description: The servers or tasks of Qlik Enterprise Manager as an inventory
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Makes a host of each server that Enterprise Manager knows, or of each task, with what Enterprise Manager shows of it
    as variables, and groups by any of these.
  - The name of the file must end in C(.qlik_em.yml) or C(.qlik_em.yaml).
  - The hosts stand for objects of Enterprise Manager. C(ansible_host) is not set, so that nothing is done on the
    machines by mistake. Run the modules with C(connection=local), or set C(ansible_host) with O(compose).
  - All texts and numbers of this plugin's own options and of the connection options may be templates, of lookups and
    extra variables, and may be vaulted. An empty one counts as not given.
  - A server is called as Enterprise Manager displays it, a task V(server/task). A slash within a name is V(%2F), a
    percent sign before V(2F) or V(25) is V(%25).
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description:
      - The name of this plugin.
    type: str
    required: true
    choices:
      - dataops.qlik_em.servers
  hosts:
    description:
      - The kind of hosts.
      - With V(servers), the variables are C(qlik_em_server), the name, and what M(dataops.qlik_em.aem_server_info)
        returns of a server, each with C(qlik_em_) before it, as in C(qlik_em_state), C(qlik_em_type),
        C(qlik_em_version) and C(qlik_em_host).
      - With V(tasks), they are C(qlik_em_server), C(qlik_em_task), and what M(dataops.qlik_em.aem_task_info) returns of
        a task, as in C(qlik_em_state), C(qlik_em_stop_reason), C(qlik_em_message) and C(qlik_em_assigned_tags).
    type: str
    choices:
      - servers
      - tasks
    default: servers
  server:
    description:
      - The names of the servers, or globs (V(*), V(?), V([abc])), as Enterprise Manager displays them. They are
        case-sensitive.
      - Without it, all servers that the user may see are read. This, and globs, need the role Viewer on All Servers.
    type: list
    elements: str
  name:
    description:
      - The names of the tasks, or globs. Needs O(hosts=tasks).
    type: list
    elements: str
  state:
    description:
      - Only tasks in one of these states. Needs O(hosts=tasks).
    type: list
    elements: str
    choices:
      - running
      - recovery
      - stopped
      - error
      - starting
      - stopping
      - paused
      - not_exist
  tag:
    description:
      - Only tasks with one of these tags. Needs O(hosts=tasks).
    type: list
    elements: str
  details:
    description:
      - Whether the details of each host are read, one call each. Those of a server add C(qlik_em_license),
        C(qlik_em_task_summary), C(qlik_em_resource_utilization) and C(qlik_em_username), those of a task its counters
        and latency.
    type: bool
    default: false
  tasks:
    description:
      - Whether the tasks of each server are read, one call a server, and listed in its variable C(qlik_em_tasks). Needs
        O(hosts=servers).
    type: bool
    default: false
  on_server_error:
    description:
      - What to do if the details or tasks of a server cannot be read, for example because it is not connected.
      - With V(skip), there is a warning. The server is in the group C(unreachable_servers), with what is known of it
        and the reason in C(qlik_em_error). With O(hosts=tasks), it is a host there in place of its tasks.
    type: str
    choices:
      - fail
      - skip
    default: fail
  parallel:
    description:
      - How many servers or tasks are read at a time, from 1 to 256. Also the number of connections.
    type: int
    default: 10
notes:
  - From ansible-core 2.19 on, expressions in O(groups) must be true or false, not just any text. Write
    C(qlik_em_message | length > 0), not C(qlik_em_message).
  - No secret is in the cache. Whoever can read its files sees what the user of Enterprise Manager sees.
seealso:
  - module: dataops.qlik_em.aem_server_info
  - module: dataops.qlik_em.aem_task_info
"""

EXAMPLES = r"""
# em.qlik_em.yml: all servers, by product and state. The login comes from QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
plugin: dataops.qlik_em.servers
url: https://em.example.com
ca_path: /etc/pki/corp-ca.pem
keyed_groups:
  - prefix: type
    key: qlik_em_type | lower
  - prefix: state
    key: qlik_em_state | lower
# ---
# licenses.qlik_em.yml: the servers whose licence ends soon, those that cannot be read in a group of their own
# plugin: dataops.qlik_em.servers
# url: https://em.example.com
# username: viewer@corp.example
# password: "{{ lookup('ansible.builtin.file', '/run/secrets/qlik_em') }}"
# details: true
# on_server_error: skip
# groups:
#   license_ends_soon: qlik_em_license.days_to_expiration | int < 30
# ---
# tasks.qlik_em.yml: each task is a host, by server, state and tag, kept for ten minutes
# plugin: dataops.qlik_em.servers
# hosts: tasks
# server:
#   - Replicate-*
# keyed_groups:
#   - prefix: server
#     key: qlik_em_server
#   - prefix: task
#     key: qlik_em_state | lower
#   - prefix: tag
#     key: qlik_em_assigned_tags | default([])
# compose:
#   ansible_connection: "'local'"
# cache: true
# cache_plugin: ansible.builtin.jsonfile
# cache_connection: ~/.cache/qlik_em
# cache_timeout: 600
# ---
# machines.qlik_em.yml: the machines that Replicate runs on, to work on them
# plugin: dataops.qlik_em.servers
# url: https://em.example.com
# server:
#   - Replicate-*
# compose:
#   ansible_host: qlik_em_host
"""

import hashlib
import json
import os
import re
from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..module_utils._client.connection import SECRET_OPTIONS
from ..module_utils._client.interrupt import Interrupt
from ..module_utils._client.masking import Secrets, secrets_in
from ..module_utils._client.nearest import did_you_mean
from ..module_utils._fleets import inventory as hosts
from ..module_utils._run.arguments import Spec
from ..module_utils._run.result import Mode
from ..module_utils._run.run import run_resource
from ..module_utils._tasks.model import TASK_STATES
from ..plugin_utils._controller import REFUSALS, plain, shown_lines

try:  # ansible-core 2.19 and newer evaluate no text but one that is trusted
    from ansible.template import trust_as_template
except ImportError:
    from ansible.utils.unsafe_proxy import wrap_var as _never_evaluated

    _harmless: Callable[[str], str] = str
else:
    # What is not trusted, ansible-inventory shows as {"__ansible_unsafe": ...}.
    _harmless, _never_evaluated = trust_as_template, str

NAME = "dataops.qlik_em.servers"
ENDINGS = (".qlik_em.yml", ".qlik_em.yaml")
UNREACHABLE = "unreachable_servers"
# Names that mean something else to Ansible.
RESERVED = ("all", "ungrouped", "localhost", "127.0.0.1", "::1", UNREACHABLE)
# In a template, or in an expression that `when: "{{ qlik_em_message }}"` would evaluate.
EVALUABLE = re.compile(r"[{(|]")
SPEC = Spec(
    hosts={"type": "str", "choices": ["servers", "tasks"], "default": "servers"},
    server={"type": "list", "elements": "str"},
    name={"type": "list", "elements": "str"},
    state={"type": "list", "elements": "str", "choices": TASK_STATES},
    tag={"type": "list", "elements": "str"},
    details={"type": "bool", "default": False},
    tasks={"type": "bool", "default": False},
    on_server_error={"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    parallel={"type": "int", "default": 10},
    parallel_option="parallel",
)


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Servers or tasks as hosts. The options of SPEC are read as those of a module, all others as Ansible does it."""

    NAME = NAME

    def verify_file(self, path: str) -> bool:
        """Return whether the file may be one of this plugin; raise AnsibleParserError, which only ``auto`` shows."""
        if not path.endswith(ENDINGS):
            raise AnsibleParserError(f"The name of a file for {NAME} must end in {' or '.join(ENDINGS)}.")
        return super().verify_file(path)

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        """Set the options that are not those of SPEC: Ansible would take ``treu`` for false, and no template."""
        others = {option: value for option, value in (direct or {}).items() if option not in SPEC.argument_spec}
        super().set_options(task_keys, var_options, others)

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        """Fill the inventory; raise AnsibleParserError, with all that went wrong masked."""
        super().parse(inventory, loader, path)
        config = self._read_config_data(path)
        params = self._params(config, path)
        found = self._cached(params, path, cache)
        for warning in found.get("warnings", []):
            self.display.warning(warning)
        self._check_names(found["hosts"])
        if params["on_server_error"] == "skip":
            self.inventory.add_group(UNREACHABLE)  # also if it is empty, so that a play can name it
        for host in found["hosts"]:
            self._add(host["name"], host["variables"], host["is_unreachable"])
        # Last: a group that is called as a host would be taken for it in `groups`.
        for host in found["hosts"]:
            self._add_keyed(host["name"], host["is_unreachable"])

    def _params(self, config: dict[str, Any], path: str) -> dict[str, Any]:
        """Return the options of SPEC, checked as those of a module."""
        self.templar.available_variables = self._vars or {}
        given: dict[str, Any] = {}
        for option, value in config.items():
            if option not in SPEC.argument_spec:
                if option not in self._options:
                    near = did_you_mean(str(option), [*self._options])
                    raise AnsibleParserError(f'{path}: unknown option "{option}". {near}'.rstrip())
                continue
            try:
                given[option] = self.templar.template(value)
            except AnsibleError as error:
                raise AnsibleParserError(f"{option} in {path} cannot be evaluated: {error}") from None
        try:
            arguments = plain(given)
        except AnsibleError as error:  # a vaulted value, without the right password
            raise AnsibleParserError(f"{path}: {error}") from None
        validation = ArgumentSpecValidator(SPEC.argument_spec).validate(SPEC.given(arguments))
        params = validation.validated_parameters
        if validation.error_messages:
            secrets = Secrets(secrets_in(arguments, os.environ, SPEC.secret_options))
            raise AnsibleParserError(f"{path}: {shown_lines(secrets, validation.errors.msg)}")
        return params

    def _cached(self, params: dict[str, Any], path: str, may_be_old: bool) -> dict[str, Any]:
        """Return the hosts, from the cache if they are in there and ``may_be_old``."""
        if not self.get_option("cache"):
            return _read(params)
        # Other options or another user mean another inventory; the secrets do not, and stay out of the key.
        shown = {option: value for option, value in params.items() if option not in SECRET_OPTIONS}
        user = params["username"] or os.environ.get("QLIK_EM_USERNAME", "")
        digest = hashlib.sha256(json.dumps([shown, user], sort_keys=True).encode()).hexdigest()
        key = f"{self.get_cache_key(path)}_{digest[:12]}"
        if may_be_old:
            try:
                return self.cache[key]
            except KeyError:  # not there, or too old
                pass
        found = self.cache[key] = _read(params)
        return found

    def _check_names(self, found: list[dict[str, Any]]) -> None:
        """Raise AnsibleParserError if two hosts have one name, or one has a name that is taken."""
        taken = {*RESERVED, *self.inventory.groups, *map(self._sanitize_group_name, self.get_option("groups") or {})}
        names: set[str] = set()
        for name in (host["name"] for host in found):
            if name in taken:
                raise AnsibleParserError(
                    f'A server is called "{name}", and so is a group, or Ansible means something else by it. Give the '
                    "group another name, or choose the servers with the option server."
                )
            if name in names:
                raise AnsibleParserError(
                    f'Two hosts are called "{name}". A name that holds a secret is masked: change the secret.'
                )
            names.add(name)

    def _add(self, name: str, members: dict[str, Any], is_unreachable: bool) -> None:
        """Add a host with its variables, and to groups by conditions."""
        host = _as_data(name)
        self.inventory.add_host(host)
        if is_unreachable:
            self.inventory.add_host(host, self.inventory.add_group(UNREACHABLE))
        for variable, value in members.items():
            self.inventory.set_variable(host, variable, _as_data(value))
        strict = self._is_strict(is_unreachable)
        self._set_composite_vars(self.get_option("compose"), self._variables(host), host, strict)
        groups = self.get_option("groups")
        self._add_host_to_composed_groups(groups, self._variables(host), host, strict, fetch_hostvars=False)

    def _add_keyed(self, name: str, is_unreachable: bool) -> None:
        """Add a host to groups by its variables."""
        host, keys = _as_data(name), self.get_option("keyed_groups")
        strict = self._is_strict(is_unreachable)
        self._add_host_to_keyed_groups(keys, self._variables(host), host, strict, fetch_hostvars=False)

    def _is_strict(self, is_unreachable: bool) -> bool:
        """Return whether what cannot be evaluated is a failure; of an unreachable server, much is not known."""
        return self.get_option("strict") and not is_unreachable

    def _variables(self, host: str) -> dict[str, Any]:
        return self.inventory.get_host(host).get_vars()


def _read(params: dict[str, Any]) -> dict[str, Any]:
    """Return the hosts and the warnings, as Enterprise Manager has them now, masked; raise AnsibleParserError."""
    with Interrupt() as interrupt:
        outcome = run_resource(SPEC, hosts.gather, params, os.environ, Mode(), interrupt, refusals=REFUSALS)
    if interrupt.signal:
        os.kill(os.getpid(), interrupt.signal)  # now as Ansible itself would take it
    if outcome.get("failed"):
        raise AnsibleParserError("\n".join(filter(None, (outcome["msg"], outcome.get("hint")))))
    return {"hosts": outcome["hosts"], "warnings": outcome.get("warnings", [])}


def _as_data(value: Any) -> Any:
    """Return what came from Enterprise Manager so that no template and no call in it is ever evaluated."""
    if isinstance(value, str):
        return _never_evaluated(value) if EVALUABLE.search(value) else _harmless(value)
    if isinstance(value, dict):
        return {_as_data(name): _as_data(item) for name, item in value.items()}
    return [_as_data(item) for item in value] if isinstance(value, list) else value
