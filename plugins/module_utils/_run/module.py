# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The frame that runs a resource function as an ordinary module."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._client.interrupt import Interrupt
from .._client.masking import DATE, LONGEST, Secrets, secrets_in
from .arguments import Spec
from .lines import one_line
from .result import Mode
from .run import Run, run_resource

RESULT = 1  # the file descriptor of stdout, from which Ansible reads a module's result


class _Module(AnsibleModule):
    """A module that shows none of its secrets, also those inside of options that are not secret as a whole.

    Ansible shows the options in each result at ``-vvv``, the one of a wrong option included, and writes them to the
    system's log.
    """

    params: dict[str, Any]

    def __init__(self, spec: Spec) -> None:
        self._spec = spec  # first: a wrong option is reported from within the next call
        super().__init__(argument_spec=spec.argument_spec, required_if=spec.required_if, supports_check_mode=True)

    def _load_params(self) -> None:
        super()._load_params()
        self.params = self._spec.given(self.params)
        self._given = dict(self.params)

    def _secrets(self) -> Secrets:
        return Secrets(secrets_in(self.params, os.environ, self._spec.secret_options))

    def log(self, msg: str, log_args: Mapping[str, Any] | None = None) -> None:
        """Write to the system's log, a whole definition only by its length."""
        secrets = self._secrets()
        if log_args:
            shown = self._spec.shown(self.params)
            texts = {
                name: str(value if self.params.get(name) == shown.get(name) else shown[name])
                for name, value in log_args.items()
            }
            log_args = {
                name: secrets.mask(text) if len(text) <= LONGEST else f"({len(text)} characters)"
                for name, text in texts.items()
            }
            msg = "Invoked with " + " ".join(f"{name}={text}" for name, text in log_args.items())
        super().log(secrets.mask(msg), log_args=log_args)

    def exit_json(self, **members: Any) -> None:
        """Print the result and exit."""
        self.params = self._secrets().mask(self._spec.shown(self.params))
        super().exit_json(**members)

    def fail_json(self, msg: str, **members: Any) -> None:
        """Print a failure and exit; Ansible itself calls this for a wrong option, which may be the text of a server."""
        secrets = self._secrets()
        self.params = secrets.mask(self._spec.shown(self.params))
        msg = self._spec.refusal(msg, self._given)
        super().fail_json(msg="\n".join(map(one_line, secrets.mask(msg).split("\n"))), **members)


def run_as_module(spec: Spec, run: Run) -> None:
    """Call ``run`` with the arguments that Ansible passed, print the result and exit."""
    module = _Module(spec)
    # Ansible would add owner, mode and size of a file that the result names as dest; in process nobody does.
    module.add_path_info = lambda result: result
    with Interrupt(output=RESULT) as interrupt:
        outcome = run_resource(spec, run, module.params, os.environ, Mode(module.check_mode, module._diff), interrupt)
    # As in _secrets. The dates of a licence that templating has turned into a mapping are shown on purpose.
    module.no_log_values = {one for one in module.no_log_values if one.strip() and not DATE.fullmatch(one)}
    if spec.returned_secret in outcome:
        module.no_log_values.discard(outcome[spec.returned_secret])
        module.params[spec.returned_secret] = None
    for warning in outcome.pop("warnings", []):
        module.warn(warning)
    if outcome.pop("failed", False):
        module.fail_json(**outcome)
    module.exit_json(**outcome)
