# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.simulator`, or `python path/of/this/folder` from anywhere."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __package__:
    from .cli import main
else:
    # Started by path: the folder itself is on sys.path, but its modules are a package's.
    folder = Path(__file__).resolve().parent
    sys.path[0] = str(folder.parent)
    main = importlib.import_module(f"{folder.name}.cli").main

if __name__ == "__main__":
    sys.exit(main())
