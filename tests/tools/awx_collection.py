# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install the collection awx.awx into a folder: out of the package ansible, as Galaxy may be out of reach.

Only the files of that collection leave the package, which has a hundred of them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "ansible==12.3.0"  # its awx.awx is 24.6.1
PLACE = "ansible_collections/awx/awx/"


def main(folder: Path) -> None:
    """Install it, unless it is there: all at once, as another process may look for it at the same moment."""
    if (folder / PLACE).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", name]
        subprocess.run([*command, PACKAGE], check=True)
        (package,) = Path(name).glob("*.whl")
        with zipfile.ZipFile(package) as archive:
            archive.extractall(name, [file for file in archive.namelist() if file.startswith(PLACE)])
        (folder / PLACE).parent.mkdir(parents=True, exist_ok=True)
        try:
            (Path(name) / PLACE).rename(folder / PLACE)
        except OSError:
            if not (folder / PLACE).exists():
                raise


if __name__ == "__main__":
    main(Path(sys.argv[1]))
