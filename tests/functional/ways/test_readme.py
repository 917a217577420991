# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README has a new user type, word for word, in a shell that knows nothing but what the stand-in prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from ansible_collections.dataops.qlik_em.tests.functional.support.play import COLLECTIONS, COMPILED
from ansible_collections.dataops.qlik_em.tests.simulator import cli

README = Path(__file__).parents[3] / "README.md"


def test_the_stand_in_is_tried_out_with_what_it_prints(em, tmp_path):
    text = README.read_text(encoding="utf-8")
    (block,) = re.findall(r"`make simulator`.*?```console\n(.*?)\n```", text, re.DOTALL)
    stop, *others = [line.removeprefix("$ ") for line in block.splitlines()]
    names = ("url", "ca_path", "control_url", "username", "password")
    access = {**dict.fromkeys(("client_cert", "client_key")), **{name: getattr(em, name) for name in names}}
    # The further lines are those of `make simulator`.
    more = [
        f'export PATH={Path(sys.executable).parent}:"$PATH"',
        f"export ANSIBLE_COLLECTIONS_PATH={COLLECTIONS}",
    ]
    printed = cli.welcome(access, {}, more)
    pasted = printed.partition("Paste into another shell:\n")[2].partition("\n\n")[0]
    assert len(pasted.splitlines()) == 6
    surroundings = {**COMPILED, "HOME": str(tmp_path), "PATH": os.defpath, "LC_ALL": "C.UTF-8"}

    def typed(command: str) -> str:
        ran = subprocess.run(
            ["bash", "-c", f"{pasted}\n{command}"],
            env=surroundings,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    for word in ("CHANGED", "SUCCESS"):
        assert typed(stop).startswith(f"localhost | {word} => ")
    assert em.task("Replicate-Prod", "orders")["stops"] == 1
    typed("\n".join(["set -e", *others]))
    assert (tmp_path / "estate" / "Replicate-Prod" / "tasks" / "orders.json").is_file()
    assert "Replicate-Prod" in (tmp_path / "estate.html").read_text(encoding="utf-8")
