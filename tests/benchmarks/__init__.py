# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast the two ways are, beside `ansible.builtin.uri` and Ansible's own floor: `python -m tests.benchmarks`.

Everything is measured in one run of one playbook against a stand-in on this machine, round after round, and reported
as the median and as a ratio.
"""
