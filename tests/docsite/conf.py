# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx: the guides of docs/ and the pages that antsibull-docs makes of the plugins, as one site (`make docs`)."""

from __future__ import annotations

project = "dataops.qlik_em"
copyright = "dataops.qlik_em contributors"  # noqa: A001 (Sphinx wants this name)
html_title = "Qlik Enterprise Manager for Ansible"
html_short_title = html_title

extensions = ["myst_parser", "sphinx_antsibull_ext"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
default_role = "any"
highlight_language = "YAML+Jinja"
pygments_style = "ansible"
html_theme = "sphinx_ansible_theme"
html_show_sphinx = False
html_copy_source = False
# What the pages of plugins refer to in Ansible's own documentation: no site but this one is looked at.
suppress_warnings = ["ref.ref", "ref.any"]
