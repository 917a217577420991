# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check that the project's own addresses are in galaxy.yml alone, and that nothing claims a name that is not ours."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Documentation of others, which the project refers to
FOREIGN = {
    "community.qlik.com",
    "craftcookcode.com",
    "docs.ansible.com",
    "fsf.org",
    "help.qlik.com",
    "json-schema.org",
    "mitogen.networkgenomics.com",
    "mutmut.readthedocs.io",
    "support.ibt.com.au",
    "www.gnu.org",
    "www.w3.org",
}
# Names that belong to nobody (RFC 2606), and addresses of this machine
RESERVED = re.compile(r"(.*\.)?example(\.(com|net|org))?|.*\.(invalid|test|localhost)|[\d.]+")
# A URL, or the name of a host of repositories without https://. A name without a dot is one of a test.
ADDRESS = re.compile(
    r"https?://(?:[^\s/@\"'`<>]*@)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)|\b((?:github|gitlab|codeberg|bitbucket)\.(?:com|org|io))\b",
    re.IGNORECASE,
)
# ansible-test demands a handle, or this in its place
AUTHORS = re.compile(r"^ *author:\n((?: *- .*\n)+)", re.MULTILINE)
CONTRIBUTORS = "- dataops.qlik_em contributors (!UNKNOWN)"


def complaints(name: str, text: str) -> list[str]:
    """Return what a file says that it must not."""
    hosts = {(one[0] or one[1]).lower() for one in ADDRESS.findall(text)}
    strange = sorted(host for host in hosts - FOREIGN if not RESERVED.fullmatch(host))
    own = [
        f"{host}: an address of the project belongs into galaxy.yml; of others, into tests/tools/addresses.py"
        for host in strange
    ]
    named = [f"author: must have {CONTRIBUTORS}" for one in AUTHORS.findall(text) if one.strip() != CONTRIBUTORS]
    return [f"{name}: {complaint}" for complaint in own + named]


def main() -> int:
    """Read all files of the repository; 1 if there is a complaint."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    # The addresses themselves, and the only file that must name what it looks for
    wanted = {name for name in names if name and (ROOT / name).is_file()} - {"galaxy.yml", "tests/tools/addresses.py"}
    texts = {name: (ROOT / name).read_text(encoding="utf-8", errors="replace") for name in sorted(wanted)}
    found = [complaint for name, text in texts.items() for complaint in complaints(name, text)]
    print(*found, sep="\n") if found else print(f"{len(texts)} files have no address of their own")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
