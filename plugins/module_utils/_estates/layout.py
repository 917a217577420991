# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""An estate as a folder for Git: one file for each object, so that a change is the change of one file.

All files are JSON, the ACL and the stamps too: it is the one form that Python reads without a further library.
docs/estate_as_code.md shows the layout. What is read may come from anybody, and is refused with its place if it is odd.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from .._access import acl_model
from .._client.api import Json
from .._client.errors import InputError
from .._definitions import objects
from .._definitions.document import LIMIT, name_of, read_part, stable_part
from .._definitions.model import BODY
from .._fleets.strict import Odd, OddText, check_members, list_or_null_at, mapping_at, name_at, text_at
from .folder import Folder, open_folder
from .model import ACL, ENDPOINTS, KINDS, SCHEDULES, TASKS, Estate, ObjectKey, plain
from .reading import Reading

ESTATE, SERVER = "estate.json", "server.json"  # say that a folder is an estate, and one of its servers
ONE_EACH = {ENDPOINTS: "databases", TASKS: "tasks"}  # kinds with a file for each object: where an export has it
FILES = {SCHEDULES: "schedules.json", ACL: "acl.json"}  # kinds with one file for all
SUFFIX = ".json"
SCHEMA = 1
# What no file name may hold on Linux, Windows or macOS, or what would hide the file or lead elsewhere.
UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|%~\u2028\u2029\ud800-\udfff]|^\.|[. ]$')
LONGEST = 200  # bytes of a file name; most file systems take 255
PARTIAL = re.compile(r"\..{1,32}\.[0-9a-f]{16}")  # what a killed run leaves of a file that it was writing


# Names


def file_name(name: str, is_alike: bool = False) -> str:
    """Return the name of the file (or folder) of an object: as people know it, but for signs that may do harm.

    These are percent-encoded. A name that would be too long is cut, and ends in a digest of the whole. So does one that
    ``is_alike`` another.
    """
    plain = UNSAFE.sub(_encoded, name)
    if len(plain.encode()) <= LONGEST and not is_alike:
        return plain
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{plain.encode()[: LONGEST - 17].decode('utf-8', 'ignore')}~{digest}"


def name_in(file: str) -> str | None:
    """Return the name that a file name stands for; None if that is not all in it."""
    try:
        name = unquote_to_bytes(file).decode("utf-8", "surrogatepass")
        return name if "~" not in file and file_name(name) == file else None
    except UnicodeError:  # a file of somebody else
        return None


def folded(name: str) -> str:
    """Return what names have in common that are one file where case, or the form of accents, does not count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _encoded(sign: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in sign[0].encode("utf-8", "surrogatepass"))


# Writing


class Changes(NamedTuple):
    """The files of a server that were written (or are to be) and removed, by their path in the estate.

    ``written`` are pairs of the old text (None: there was none) and the new one.
    """

    written: dict[str, tuple[str | None, str]]
    removed: list[str]
    unchanged: int


def files_of(server: str, reading: Reading, others: Iterable[ObjectKey] = ()) -> dict[str, str]:
    """Return the texts of all files of a server, by their path in its folder.

    Objects whose names differ by case only, also from those of the ``others``, get names of files that differ in more:
    where case does not count, one would replace the other.
    """
    alike = Counter((key.kind, folded(key.name)) for key in {*reading.objects, *others})
    stamp = {"name": server, **({"_version": reading.version} if reading.version else {})}
    files = {SERVER: stable_part((SERVER,), stamp)}
    jobs: list[Json] = []
    for key in sorted(reading.objects, key=lambda key: (KINDS.index(key.kind), key.name)):
        item = reading.objects[key]
        if key.kind in ONE_EACH:
            is_alike = alike[key.kind, folded(key.name)] > 1
            path = f"{key.kind}/{file_name(key.name, is_alike)}{SUFFIX}"
            files[path] = stable_part((ONE_EACH[key.kind], key.name), item)
        elif key.kind == SCHEDULES:
            jobs.append(item)
            files[FILES[SCHEDULES]] = stable_part(("scheduler",), {"jobs": jobs})
        else:
            files[FILES[ACL]] = stable_part((ACL,), item)
    return files


def new_files(server: str, reading: Reading, others: Iterable[ObjectKey] = ()) -> dict[str, tuple[str | None, str]]:
    """Return all files of a server as those that are to be written; ``others`` as in ``files_of``."""
    files = files_of(server, reading, others)
    return {f"{file_name(server)}/{path}": (None, text) for path, text in files.items()}


def write_server(
    root: Folder,
    server: str,
    reading: Reading,
    is_stale: Callable[[str, str | None], bool],
    is_check: bool,
    others: Iterable[ObjectKey] = (),
) -> Changes:
    """Make the files of a server be as it is; those that are the same stay untouched.

    A file of an object that the server has not is removed if ``is_stale``, which gets its kind and the name of the
    object (None: not known). ``others`` as in ``files_of``. Raises InputError, also for a folder of that name that is
    not one of an estate, or is the one of another server.
    """
    files, name = files_of(server, reading, others), file_name(server)
    with root.below(name, create=not is_check) as folder:
        if folder is None:
            return Changes(new_files(server, reading, others), [], 0)
        _check_owned(folder, server)
        changes = Changes({}, [], 0)
        # First: where case does not count, the file of an old name may be the one of a new name.
        for path in _stale(folder, files, is_stale, [key for key in reading.objects if key.kind in ONE_EACH]):
            if not is_check:
                _in_sub_folder(folder, path, lambda sub, file: sub.remove(file))
            if not PARTIAL.fullmatch(path.rpartition("/")[2]):
                changes.removed.append(f"{name}/{path}")
        for path, text in files.items():
            changes = _write(folder, path, text, is_check, changes, f"{name}/{path}")
        return changes


def _check_owned(folder: Folder, server: str) -> None:
    names = [name for name in folder.names() if not PARTIAL.fullmatch(name)]
    if names and SERVER not in names:
        raise InputError(
            f"{folder.label} is not a folder of an estate: it has no {SERVER}. Nothing was written to it.",
            "Choose another path, or move away what is in it.",
        )
    try:
        owner = _read_server_stamp(folder)[0] if names else server
    except InputError:  # it is written anew
        return
    if owner != server and folded(owner) == folded(server):
        raise InputError(
            f'{folder.label} is the folder of the server "{owner}", and this file system takes "{server}" for the '
            "same name. Nothing was written to it.",
            "Gather one of them into another path, or use a file system on which case counts.",
        )


def _write(folder: Folder, path: str, text: str, is_check: bool, changes: Changes, label: str) -> Changes:
    def write(sub: Folder | None, file: str) -> bool:
        old = sub.read(file, LIMIT) if sub else None
        if old == text:
            return False
        if sub and not is_check:
            sub.write(file, text)
        changes.written[label] = (old, text)
        return True

    is_written = _in_sub_folder(folder, path, write, create=not is_check)
    return changes if is_written else changes._replace(unchanged=changes.unchanged + 1)


def _in_sub_folder(folder: Folder, path: str, work: Callable[[Any, str], Any], create: bool = False) -> Any:
    """Return what ``work`` makes of the folder of a path within the folder (None: there is none), and the last name."""
    kind, _slash, file = path.rpartition("/")
    if not kind:
        return work(folder, file)
    with folder.below(kind, create) as sub:
        return work(sub, file)


def _stale(
    folder: Folder,
    files: Mapping[str, str],
    is_stale: Callable[[str, str | None], bool],
    written: Iterable[ObjectKey],
) -> list[str]:
    """Return the files to remove: of objects that are not there, and the other file of one that is ``written``."""
    forms = {f"{key.kind}/{file_name(key.name, is_alike)}{SUFFIX}" for key in written for is_alike in (False, True)}
    found = [file for kind, file in FILES.items() if file not in files and is_stale(kind, None)]
    found = [file for file in found if file in folder.names()]
    found += [name for name in folder.names() if PARTIAL.fullmatch(name)]
    for kind in ONE_EACH:
        with folder.below(kind) as sub:
            for name in sub.names() if sub else ():
                path = f"{kind}/{name}"
                is_object = name.endswith(SUFFIX) and path not in files
                if PARTIAL.fullmatch(name) or (is_object and (path in forms or is_stale(kind, _object_in(name)))):
                    found.append(path)
    return found


def _object_in(file: str) -> str | None:
    return name_in(file[: -len(SUFFIX)])


def check_origin(root: Folder, address: str) -> str | None:
    """Return the text of the stamp that is to be written, None if it is there.

    Raises InputError if the estate is that of another Enterprise Manager: servers of one name would be mixed up.
    """
    text = stable_part((ESTATE,), {"schema": SCHEMA, "enterprise_manager": address})
    old = root.read(ESTATE, LIMIT)
    if old == text:
        return None
    if old is not None:
        origin = _read_stamp(root, old)["enterprise_manager"]
        if origin != address:
            raise InputError(
                f"{root.label} was gathered from another Enterprise Manager ({origin}, not {address}). Nothing was "
                "written.",
                f"Use a folder for each. If it has just got another address, remove {root.label}/{ESTATE} once.",
            )
    return text


# Reading


def read_estate(option: str, path: str) -> dict[str, Reading]:
    """Return what the files of an estate say, by server. Raises InputError, which names the file that is odd."""
    with open_folder(option, path) as root:
        if root is None:
            raise InputError(f"{option} ({path}) does not exist.", "Write it first, with state: gathered.")
        stamp = root.read(ESTATE, LIMIT)
        if stamp is None:
            raise InputError(
                f"{option} ({path}) is not an estate: it has no file {ESTATE}.", "Write it first, with state: gathered."
            )
        _read_stamp(root, stamp)
        found: dict[str, Reading] = {}
        for name in root.names():
            if name.startswith(".") or not root.is_folder(name):
                continue
            with root.below(name) as folder:
                if folder is not None and SERVER in folder.names():
                    server, reading = read_server_folder(folder, name)
                    found[server] = reading
                elif folder is not None and any(one in (*ONE_EACH, *FILES.values()) for one in folder.names()):
                    raise InputError(
                        f"{folder.label} has files of a server, but no {SERVER}, which has its name.",
                        'Add it: {"name": "..."}, with the display name of the server.',
                    )
        return found


def _read_stamp(root: Folder, text: str) -> Json:
    label = f"{root.label}/{ESTATE}"
    stamp = read_part(label, ESTATE, text)
    try:
        check_members("", stamp, ("schema", "enterprise_manager"))
        name_at("enterprise_manager", stamp["enterprise_manager"])
        if stamp["schema"] != SCHEMA or isinstance(stamp["schema"], bool):
            raise Odd("schema", stamp["schema"], f"{SCHEMA}: this release of the collection knows no other")
    except OddText as odd:
        raise InputError(f"{label} cannot be used: {odd}.") from odd
    return stamp


def read_server_folder(folder: Folder, name: str) -> tuple[str, Reading]:
    """Return the server whose folder this is, and what its files say; raise InputError."""
    server, version = _read_server_stamp(folder)
    if name != file_name(server):
        raise _misnamed(folder.label, file_name(server), f'server "{server}"')
    estate: Estate = {}
    for kind, member in ONE_EACH.items():
        with folder.below(kind) as sub:
            for file in sub.names() if sub else ():
                if sub and file.endswith(SUFFIX) and not file.startswith("."):
                    item = read_part(f"{sub.label}/{file}", member, sub.read(file, LIMIT) or "")
                    found = str(name_of(member, item))
                    key, right = ObjectKey(server, kind, found), file_name(found) + SUFFIX
                    if file not in (right, file_name(found, is_alike=True) + SUFFIX):
                        raise _misnamed(f"{sub.label}/{file}", right, f'{kind[:-1]} "{found}"')
                    if key in estate:
                        raise InputError(
                            f'{sub.label}/{file} and {sub.label}/{right} both hold the {kind[:-1]} "{found}".',
                            "Remove the one that is out of date.",
                        )
                    estate[key] = item
    for job in read_jobs(folder):
        estate[ObjectKey(server, SCHEDULES, job["name"])] = job
    acl = folder.read(FILES[ACL], LIMIT)
    if acl is not None:
        estate[ObjectKey(server, ACL, "")] = _read_acl(f"{folder.label}/{FILES[ACL]}", acl)
    return server, Reading(plain(estate), version)


def read_jobs(folder: Folder) -> list[Json]:
    """Return the schedules in the folder of a server; raise InputError."""
    text = folder.read(FILES[SCHEDULES], LIMIT)
    if text is None:
        return []
    label = f"{folder.label}/{FILES[SCHEDULES]}"
    value = read_part(label, "scheduler", text)
    objects.check(label, {BODY: {"scheduler": value}})
    return list(value.get("jobs") or [])


def _read_server_stamp(folder: Folder) -> tuple[str, Json | None]:
    """Return the name of the server whose folder this is, and the ``_version`` of its export; raise InputError."""
    stamp = read_part(f"{folder.label}/{SERVER}", SERVER, folder.read(SERVER, LIMIT) or "")
    try:
        check_members("", stamp, ("name",), ("_version",))
        version = stamp.get("_version")
        if version is not None and not isinstance(version, dict):
            raise Odd("_version", version, "a mapping")
        return name_at("name", stamp["name"]), version
    except OddText as odd:
        raise InputError(f"{folder.label}/{SERVER} cannot be used: {odd}.") from odd


def _misnamed(label: str, right: str, what: str) -> InputError:
    return InputError(
        f"{label} holds the {what}, whose name here is {right}.",
        "Rename it, or correct the name in it. To have the object under another name elsewhere, use an overlay.",
    )


def _read_acl(label: str, text: str) -> Json:
    acl = read_part(label, ACL, text)
    try:
        for role in acl_model.ALL_ROLES:
            members = mapping_at(role, mapping_at("", acl).get(role) or {})
            for kind in acl_model.KINDS:
                for number, item in enumerate(list_or_null_at(f"{role}/{kind}", members.get(kind))):
                    where = f"{role}/{kind}/{number}"
                    text_at(f"{where}/name", mapping_at(where, item).get("name"))
        if not any(role in acl for role in acl_model.ROLES):
            raise Odd("the document", acl, f"a mapping with {', '.join(acl_model.ROLES)}")
    except OddText as odd:
        raise InputError(f"{label} cannot be used: {odd}.") from odd
    return dict(acl)
