# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in Enterprise Manager for tests: `with running() as em:`. See README.md."""

from __future__ import annotations

from .checks import InputError
from .handle import Handle, running

__all__ = ["Handle", "InputError", "running"]
