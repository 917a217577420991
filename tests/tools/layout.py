# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where things are: the checkout, the ignored build folder, and copies of the collection that tools accept."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

NAMESPACE, NAME = "dataops", "qlik_em"
ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
LOGS = BUILD / "logs"
RESULTS = BUILD / "results"


def collection_files() -> set[str]:
    """The files of the collection as it is now: tracked or new, but not ignored."""
    # Where the checkout belongs to another user (containers), git refuses to look at it unless it is told to.
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return {name for name in listing.split("\0") if name and (ROOT / name).is_file()}


def copy_collection(folder: Path) -> Path:
    """Bring a copy of the collection under folder up to date and return its path.

    ansible-test insists on a real path that ends in ansible_collections/NAMESPACE/NAME; the checkout can be anywhere.
    """
    copy = folder / "ansible_collections" / NAMESPACE / NAME
    copy.mkdir(parents=True, exist_ok=True)
    if not (copy / ".git").exists():
        # Otherwise ansible-test asks the checkout's git for the files, which ignores the folder that the copy is in.
        subprocess.run(["git", "init", "--quiet", str(copy)], check=True)
    wanted = collection_files()
    for present in copy.rglob("*"):
        name = present.relative_to(copy).as_posix()
        if present.is_file() and name not in wanted and not name.startswith((".git/", "tests/output/")):
            present.unlink()
    for name in wanted:
        source, target = ROOT / name, copy / name
        if not target.exists() or _changed(source, target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return copy


def _changed(source: Path, target: Path) -> bool:
    old, new = source.stat(), target.stat()
    return (old.st_size, old.st_mtime_ns, old.st_mode) != (new.st_size, new.st_mtime_ns, new.st_mode)


def link_collection() -> Path:
    """A folder for PYTHONPATH in which the checkout itself is importable as a collection: edits count at once."""
    folder = BUILD / "link"
    link = folder / "ansible_collections" / NAMESPACE / NAME
    if not link.is_symlink():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(ROOT, link.parent))
    return folder
