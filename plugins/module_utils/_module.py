# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The frame that runs a resource function as an ordinary module."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule

from ._arguments import Spec
from ._connection import secrets_in
from ._result import Mode
from ._run import Resource, run_resource
from ._secrets import DATE
from ._stop import Stop


def run_as_module(spec: Spec, resource: Resource) -> None:
    """Run ``resource`` with the arguments that Ansible passed, print the result and exit."""
    module = AnsibleModule(argument_spec=spec.argument_spec, required_if=spec.required_if, supports_check_mode=True)
    # Ansible would add owner, mode and size of a file that the result names as dest; in process nobody does.
    module.add_path_info = lambda result: result
    with Stop() as stop:
        outcome = run_resource(resource, module.params, os.environ, Mode(module.check_mode, module._diff), stop)
    # Ansible adds the arguments to what it shows at -vvv, so it must know the secrets that are hidden in them.
    module.no_log_values.update(secret for _user, secret in secrets_in(module.params, os.environ))
    # As in _secrets. The dates of a licence that templating has turned into a mapping are shown on purpose.
    module.no_log_values = {one for one in module.no_log_values if one.strip() and not DATE.fullmatch(one)}
    if "session_id" in outcome:  # returned on purpose
        module.no_log_values.discard(outcome["session_id"])
        module.params["session_id"] = None
    for warning in outcome.pop("warnings", []):
        module.warn(warning)
    if outcome.pop("failed", False):
        module.fail_json(**outcome)
    module.exit_json(**outcome)
