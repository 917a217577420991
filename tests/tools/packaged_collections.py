# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install collections into a folder: out of the package ansible, as Galaxy may be out of reach.

Only their files leave the package, which has a hundred collections.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "ansible==12.3.0"  # its awx.awx is 24.6.1, its ansible.netcommon 8.2.0


def main(folder: Path, *names: str) -> None:
    """Install those that are not there, each all at once: another process may look for it at the same moment."""
    places = [f"ansible_collections/{name.replace('.', '/')}/" for name in names]
    places = [place for place in places if not (folder / place).exists()]
    if not places:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", name]
        subprocess.run([*command, PACKAGE], check=True)
        (package,) = Path(name).glob("*.whl")
        with zipfile.ZipFile(package) as archive:
            archive.extractall(name, [file for file in archive.namelist() if file.startswith(tuple(places))])
        for place in places:
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            try:
                (Path(name) / place).rename(folder / place)
            except OSError:
                if not (folder / place).exists():
                    raise


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
