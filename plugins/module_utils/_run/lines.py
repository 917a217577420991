# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Texts, parts of which come from a server, as they may be shown. Pure functions."""

from __future__ import annotations

import unicodedata

LONGEST_LINE = 8000  # characters of a message


def one_line(text: str) -> str:
    """Return a text, parts of which come from a server, as it may be shown: it forges no line and hides nothing.

    Line ends and other space become a space. Control characters and what turns the direction of text are escaped. Of a
    very long text only the begin is shown.
    """
    line = " ".join("".join(sign if sign.isprintable() else _visible(sign) for sign in text[:LONGEST_LINE]).split())
    return line if len(text) <= LONGEST_LINE else f"{line}..."


def escaped(text: str) -> str:
    """Return a text of many lines as it may be shown, all its printable characters and its line ends as they are."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else _visible(sign) for sign in text)


def _visible(sign: str) -> str:
    is_space = sign in "\n\r\t\v\f\x85\u2028\u2029" or unicodedata.category(sign) == "Zs"
    return " " if is_space else sign.encode("unicode_escape").decode()
