# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Any Python can read it, and each module loads it before any other of its code.

import json
import sys

if sys.hexversion < 0x03090000:
    text = f"This module needs Python 3.9 or newer, and {sys.executable} is Python {sys.version.split()[0]}."
    text += " Set ansible_python_interpreter to a newer one."
    sys.stdout.write(json.dumps({"failed": True, "changed": False, "msg": text}))
    raise SystemExit(1)
