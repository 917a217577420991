# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What all plugins on the controller share, whether they run a task or read an inventory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible import constants as C

from ..module_utils._client.masking import Secrets
from ..module_utils._client.refusals import Refusals
from ..module_utils._run.lines import one_line

try:  # ansible-core 2.19 and newer
    from ansible.module_utils.common.json import Direction, get_module_encoder
except ImportError:
    from ansible.module_utils.common.json import AnsibleJSONEncoder

    ENCODER: dict[str, Any] = {"cls": AnsibleJSONEncoder, "vault_to_text": True}
else:
    ENCODER = {"cls": get_module_encoder("legacy", Direction.CONTROLLER_TO_MODULE)}

# The logins that were refused in this run. The workers are forks of the process that imports this. They share the
# folder, which Ansible makes for each run and removes.
REFUSALS = Refusals(C.DEFAULT_LOCAL_TMP)


def plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a module would get: vaulted values decrypted, no tags and no lazy containers."""
    return json.loads(json.dumps(arguments, **ENCODER))


def shown_lines(secrets: Secrets, message: str) -> str:
    """Return a message of the validation, which has a line for each fault, as it may be shown."""
    return "\n".join(map(one_line, secrets.mask(message).split("\n")))
