# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modes as chmod reads them, and the rights that a file gets."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.file_modes import (
    Access,
    Rights,
    check_access,
    parse_mode,
)
from hypothesis import given, settings
from hypothesis import strategies as st

NOTHING = {"dest": "x", "mode": None, "owner": None, "group": None}


@pytest.mark.parametrize(
    ("mode", "result"),
    [
        ("0644", 0o644),
        ("644", 0o644),
        ("0o640", 0o640),
        ("02750", 0o2750),
        (" 0600 ", 0o600),
        (0o644, 0o644),  # what YAML makes of 0644 without quotes
        *((number, number) for number in (0o600, 0o640, 0o660, 0o664, 0o666, 0o700, 0o750, 0o755, 0o770, 0o777, 0o400)),
        ("u=rw,g=r", 0o640),
        ("u=rw,go=", 0o600),
        ("g+r", 0o640),
        ("a+r", 0o644),
        ("ug=rw,o=r", 0o664),
        ("u-w", 0o400),
        ("g=u", 0o660),
        ("g=u-w", 0o640),
        ("+r", 0o640),  # by the umask
        ("=r", 0o440),
        ("u+X", 0o600),
        ("u+x,a+X", 0o711),
        ("u+s,g+s,o+t", 0o7600),
    ],
)
def test_a_mode_is_read_as_chmod_reads_it(mode, result):
    assert parse_mode(mode, 0o600, 0o027) == result


CLAUSES = st.from_regex(r"[ugoa]{0,3}([-+=]([ugo]|[rwxXst]{0,4})){1,2}", fullmatch=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(CLAUSES, min_size=1, max_size=2), st.integers(0, 0o777))
def test_a_symbolic_mode_means_what_it_means_to_chmod(tmp_path_factory, clauses, current):
    path = tmp_path_factory.mktemp("mode") / "file"
    path.touch()
    path.chmod(current)
    mode = ",".join(clauses)
    # After "--", or one that begins with a minus would be an option.
    answer = subprocess.run(["chmod", "--", mode, path], capture_output=True, check=False, umask=0o022)
    assert answer.returncode in (0, 1), answer.stderr  # 1: chmod wonders at the umask, and has done it all the same
    assert parse_mode(mode, current, 0o022) == path.stat().st_mode & 0o7777


@pytest.mark.parametrize("number", [644, 640, 600, 660, 755, 444, 440, 400, 500, 512, -1])
def test_a_number_that_was_likely_meant_as_octal_digits_is_refused(number):
    with pytest.raises(InputError, match=r"is a decimal number.*quotes"):
        parse_mode(number, 0o600, 0)


def test_what_is_not_asked_for_stays():
    assert Access().rights(Rights(0o640, 7, 8)) == Rights(0o640, 7, 8)
    assert Access(mode="g+w", gid=9).rights(Rights(0o640, 7, 8)) == Rights(0o660, 7, 9)


@pytest.mark.parametrize("mode", [None, "u+x", "u=r"])
def test_a_secret_is_for_its_owner_only(mode):
    access = check_access({**NOTHING, "mode": mode}, "secrets: keep")
    assert access.rights(Rights(0o666, 7, 8)).mode & 0o077 == 0


@pytest.mark.parametrize("mode", ["0640", "0601", "g+r", "o=x", 0o644])
def test_a_mode_that_opens_a_secret_is_refused(mode):
    assert check_access({**NOTHING, "mode": mode}).mode == mode
    with pytest.raises(InputError, match="contains secrets"):
        check_access({**NOTHING, "mode": mode}, "secrets: keep")


def test_users_and_groups_are_found_by_name_and_by_number():
    assert check_access({**NOTHING, "owner": "root", "group": "12345"}) == Access(None, 0, 12345)
    assert check_access({**NOTHING, "owner": str(os.getuid())}).uid == os.getuid()
