# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on a real disk: links, rights, what is not a file, and others who would have us write elsewhere."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import secrets
import shutil
import socket
import stat
import tempfile
import time
from pathlib import Path

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.file_modes import Access
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.files import (
    check_file,
    ensure_copy,
    ensure_file,
    locked,
    open_to_append,
    read_file,
    real_path,
    remove_file,
    scratch_file,
    write_atomically,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.result import Mode
from hypothesis import given, settings
from hypothesis import strategies as st

SELF, VICTIM, ATTACKER = os.geteuid(), 4001, 4002
as_root = pytest.mark.skipif(SELF != 0, reason="Only root can give a file to another user: run the tests as root, too.")
SHOWN = Mode(diff=True)


@pytest.fixture
def folder():
    """A folder that all users may enter, unlike those of pytest."""
    path = Path(tempfile.mkdtemp(dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def run_as(uid, function):
    """Call a function as another user, in a process of its own; return what it returns, or the text of its failure."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            try:
                answer = function()
            except InputError as error:
                answer = str(error)
            os.write(writer, json.dumps(answer).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        content = file.read()
    os.waitpid(child, 0)
    return json.loads(content)


def ensure(path, text="new", mode=SHOWN, **options):
    return ensure_file("dest", str(path), text, mode, **options)


def mode_of(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def tree(folder):
    """Return all that is in a folder: what it is, whose it is, and what it holds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
        target = os.readlink(path) if path.is_symlink() else None
        found[str(path)] = (status.st_mode, status.st_uid, status.st_gid, content, target)
    return found


def check_is_refused(path, message):
    """Locking this is refused."""
    with pytest.raises(InputError) as refusal, locked("path", str(path)):
        pass
    assert message in str(refusal.value)


@as_root
def test_what_is_to_be_compared_needs_no_folder_that_may_be_written_to(folder):
    (folder / "file").write_text("same")
    (folder / "file").chmod(0o644)

    def compare():
        with scratch_file("dest", str(folder / "file")) as scratch:
            scratch.write(b"same")
            return ensure_copy("dest", str(folder / "file"), scratch, SHOWN).changed

    assert run_as(VICTIM, compare) is False


def test_a_lock_that_its_holder_has_just_removed_is_not_taken(folder, monkeypatch):
    flock = fcntl.flock

    def late(file, operation):
        (folder / "file.lock").unlink()
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    check_is_refused(folder / "file", "is in use by another run. Nothing was done.")


# Links


def test_the_file_behind_links_is_replaced_and_the_links_stay(folder):
    (folder / "volume").mkdir()
    (folder / "here").mkdir()
    (folder / "volume/file").write_text("old")
    (folder / "here/one").symlink_to("two")
    (folder / "here/two").symlink_to(folder / "door/../door/file")
    (folder / "door").symlink_to("./volume/")
    old = (folder / "volume/file").open()
    for path in (folder / "here/one", folder / "door/file", f"{folder}//door/./file"):
        assert ensure(path, str(path)).changed and (folder / "volume/file").read_text() == str(path)
        assert real_path("dest", str(path)) == str(folder / "volume/file")
    assert (folder / "here/one").is_symlink() and (folder / "here/two").is_symlink()
    with old:
        assert old.read() == "old"  # another file was put in its place, as a whole
    assert os.listdir(folder / "volume") == ["file"] and sorted(os.listdir(folder / "here")) == ["one", "two"]


def test_a_link_to_a_file_that_does_not_exist_yet_is_followed(folder):
    (folder / "volume").mkdir()
    (folder / "link").symlink_to("volume/file")
    assert check_file("dest", str(folder / "link")) is None and read_file("src", str(folder / "link")) is None
    assert ensure(folder / "link").changed
    assert (folder / "link").is_symlink() and (folder / "volume/file").read_text() == "new"
    assert mode_of(folder / "volume/file") == 0o600


def test_a_relative_path_is_one_from_the_folder_of_the_process(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "sub").mkdir()
    for path in ("file", "./sub/../file", f"../{folder.name}/file"):
        assert real_path("dest", path) == str(folder / "file")
    write_atomically("dest", "sub/file", "new")
    assert (folder / "sub/file").read_text() == "new"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "nowhere/file",
            "dest ({0}/link, a link to {0}/nowhere/file) cannot be written: there is no folder {0}/nowhere.",
        ),
        (
            "link",
            "dest ({0}/link, a link to {0}/link) cannot be written: {0}/link is a link that leads back to itself.",
        ),
        ("back", "{0}/link is a link that leads back to itself."),
        ("sub", "dest ({0}/link, a link to {0}/sub) cannot be written: it is a folder."),
        ("new/", "there is no folder {0}/new."),
        ("file/", "{0}/file is not a folder."),
        ("/dev/null", "/dev/null is in a system folder that is not for files."),
        ("/proc/self/fd/1", "/proc/self is in a system folder"),
    ],
)
def test_a_link_that_leads_to_no_file_is_refused(folder, target, message):
    (folder / "sub").mkdir()
    (folder / "file").touch()
    (folder / "back").symlink_to("link")
    (folder / "link").symlink_to(target)
    before = tree(folder)
    for act in (check_file, real_path, lambda option, path: ensure(path), lambda *given: write_atomically(*given, "x")):
        with pytest.raises(InputError) as refusal:
            act("dest", str(folder / "link"))
        assert message.format(folder) in str(refusal.value) and "\n" not in str(refusal.value)
    assert tree(folder) == before


# Rights


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_a_new_file_is_private_whatever_the_umask_is(folder, umask):
    before = os.umask(umask)
    try:
        ensure(folder / "a")
        write_atomically("path", str(folder / "b"), "new")
        os.close(open_to_append("journal", str(folder / "c")))
        with locked("path", str(folder / "d")):
            pass
        ensure(folder / "a", "newer", backup=True)
    finally:
        os.umask(before)
    names = sorted(os.listdir(folder))
    assert names[:1] + names[2:] == ["a", "b", "c", "d.lock"]
    assert {name: mode_of(folder / name) for name in names} == dict.fromkeys(names, 0o600)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444, 0o777])
def test_an_existing_file_keeps_its_mode_and_a_copy_of_it_has_the_same(folder, mode):
    (folder / "file").write_text("old")
    (folder / "file").chmod(mode)
    change = ensure(folder / "file", backup=True)
    assert mode_of(folder / "file") == mode_of(change.backup) == mode and not change.warnings
    assert Path(change.backup).read_text() == "old" and (folder / "file").read_text() == "new"
    assert not ensure(folder / "file").changed


def test_only_a_mode_that_differs_is_a_change_and_is_shown(folder):
    ensure(folder / "file")
    asked = Access(mode="g+r")
    foreseen = ensure(folder / "file", mode=Mode(check=True), access=asked, backup=True)
    assert foreseen.changed and mode_of(folder / "file") == 0o600
    number = (folder / "file").stat().st_ino
    change = ensure(folder / "file", access=asked, backup=True)
    assert change == foreseen and change.diff["before"] == {"mode": "0600"} and change.diff["after"] == {"mode": "0640"}
    assert mode_of(folder / "file") == 0o640 and (folder / "file").stat().st_ino == number
    assert os.listdir(folder) == ["file"]
    assert not ensure(folder / "file", access=asked).changed


def test_both_may_differ(folder):
    ensure(folder / "file", "old")
    change = ensure(folder / "file", access=Access(mode="0644"))
    assert (change.diff["before"], change.diff["after"]) == ("old", "new")
    assert change.diff["before_header"] == f"{folder}/file (mode 0600)"
    assert change.diff["after_header"] == f"{folder}/file (mode 0644)"
    assert mode_of(folder / "file") == 0o644


@as_root
def test_owner_and_group_stay_and_can_be_asked_for(folder):
    (folder / "file").write_text("old")
    os.chown(folder / "file", VICTIM, VICTIM)
    ensure(folder / "file")
    assert ((folder / "file").stat().st_uid, (folder / "file").stat().st_gid) == (VICTIM, VICTIM)
    change = ensure(folder / "file", access=Access(uid=0, gid=5001))
    assert change.diff["before"] == {"owner": str(VICTIM), "group": str(VICTIM)}
    assert ((folder / "file").stat().st_uid, (folder / "file").stat().st_gid) == (0, 5001)
    ensure(folder / "new", access=Access(mode="0640", uid=VICTIM))
    assert ((folder / "new").stat().st_uid, mode_of(folder / "new")) == (VICTIM, 0o640)
    assert ensure(folder / "new", "newer", backup=True).backup
    assert {path.stat().st_uid for path in folder.glob("new*")} == {VICTIM}


@as_root
def test_who_may_not_keep_the_owner_goes_on_and_says_so(folder):
    """As Ansible's own modules, but the new group gets no right that it would not have had."""
    os.chown(folder, VICTIM, VICTIM)
    (folder / "file").write_text("old")
    (folder / "file").chmod(0o4664)
    (warning,) = run_as(VICTIM, lambda: ensure(folder / "file").warnings)
    assert warning == f"{folder}/file could not keep its group root and its owner root: this user may not set that."
    status = (folder / "file").stat()
    assert (status.st_uid, status.st_gid, mode_of(folder / "file")) == (VICTIM, VICTIM, 0o644)
    assert (folder / "file").read_text() == "new"
    os.chown(folder / "file", 0, VICTIM)
    (folder / "file").chmod(0o6775)
    assert "could not keep its owner root:" in run_as(VICTIM, lambda: ensure(folder / "file", "newer").warnings)[0]
    assert mode_of(folder / "file") == 0o775  # and nobody else runs it as this user


@as_root
def test_what_is_asked_for_and_not_allowed_is_refused_and_the_old_file_stays(folder):
    os.chown(folder, VICTIM, VICTIM)
    run_as(VICTIM, lambda: ensure(folder / "file", "old").changed)
    before = tree(folder)
    for text in ("old", "new"):
        for access, what in (
            (Access(uid=0), "owner cannot be set to root"),
            (Access(gid=0), "group cannot be set to root"),
        ):
            message = run_as(
                VICTIM,
                functools.partial(
                    lambda *given: ensure(*given[:2], access=given[2]).changed, folder / "file", text, access
                ),
            )
            assert message == f"dest ({folder}/file) cannot be written: {what}: Operation not permitted."
    assert tree(folder) == before


@as_root
def test_a_folder_that_may_not_be_written_to_is_known_before(folder):
    (folder / "file").write_text("old")
    (folder / "file").chmod(0o644)
    text = f"dest ({folder}/file) cannot be written: this user may not write to the folder {folder}."
    assert run_as(VICTIM, lambda: ensure(folder / "file", mode=Mode(check=True)).changed) == text
    assert run_as(VICTIM, lambda: real_path("dest", str(folder / "file"))) == text
    assert run_as(VICTIM, lambda: ensure(folder / "file", "old").changed) is False  # nothing to write
    os.chown(folder / "file", VICTIM, VICTIM)
    assert run_as(VICTIM, lambda: ensure(folder / "file", "old", access=Access(mode="0640")).changed)  # in its place
    assert mode_of(folder / "file") == 0o640


# Secrets


@pytest.mark.parametrize("text", ["old", "new"])
def test_a_file_with_secrets_is_for_its_owner_only(folder, text):
    (folder / "file").write_text("old")
    (folder / "file").chmod(0o664)
    secret = Access(is_secret=True)
    foreseen = ensure(folder / "file", text, mode=Mode(check=True), access=secret)
    change = ensure(folder / "file", text, access=secret, backup=True)
    assert change.changed and change.diff == foreseen.diff and change.warnings == foreseen.warnings
    assert change.warnings == [
        f"{folder}/file contains secrets, and its mode 0664 gave others access: its mode is set to 0600."
    ]
    assert {mode_of(path) for path in folder.iterdir()} == {0o600}
    again = ensure(folder / "file", text, access=secret)
    assert not again.changed and not again.warnings


# What is not a file


@pytest.mark.parametrize(
    ("name", "why"),
    [("pipe", "it is a named pipe, not a file"), ("socket", "it is a socket, not a file"), ("sub", "it is a folder")],
)
def test_what_is_not_a_file_is_refused_and_never_waited_for(folder, name, why):
    os.mkfifo(folder / "pipe")
    (folder / "sub").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        before = tree(folder)
        path = str(folder / name)
        for act in (
            lambda: read_file("dest", path),
            lambda: check_file("dest", path),
            lambda: ensure(path),
            lambda: write_atomically("dest", path, "x"),
            lambda: open_to_append("dest", path),
        ):
            with pytest.raises(InputError, match=rf"dest \({path}\) cannot be \w+: {why}\."):
                act()
        assert tree(folder) == before


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(folder, monkeypatch):
    """Between the look at it and its opening."""
    (folder / "file").write_text("old")
    real = os.open

    def swap(path, flags, *others, **options):
        if path == "file":
            os.unlink(folder / "file")
            os.mkfifo(folder / "file")
        return real(path, flags, *others, **options)

    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(InputError, match="it is a named pipe"):
        read_file("src", str(folder / "file"))


def test_shared_memory_holds_files():
    path = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        assert ensure(path / "file").changed and (path / "file").read_text() == "new"
    finally:
        shutil.rmtree(path)


def test_line_ends_are_kept_apart_when_files_are_compared_and_read_as_unix_has_them(folder):
    (folder / "file").write_bytes(b"a\r\nb\n")
    assert not ensure(folder / "file", "a\r\nb\n").changed
    assert read_file("src", str(folder / "file")) == "a\nb\n"
    assert ensure(folder / "file", "a\nb\n").changed


# Locks and files that grow


def test_the_lock_is_beside_the_file_itself(folder):
    (folder / "volume").mkdir()
    for name in ("one", "two"):
        (folder / name).symlink_to("volume/file")
    with locked("path", str(folder / "one")):
        check_is_refused(folder / "two", "is in use by another run")
    assert os.listdir(folder / "volume") == ["file.lock"]


def test_a_lock_and_a_journal_that_are_shared_stay_so(folder):
    for name in ("x.lock", "journal"):
        (folder / name).touch()
        (folder / name).chmod(0o660)
    with locked("path", str(folder / "x")):
        os.close(open_to_append("journal", str(folder / "journal")))
    assert {mode_of(path) for path in folder.iterdir()} == {0o660}


def test_a_lock_that_is_not_a_file_is_refused(folder):
    (folder / "x.lock").symlink_to("elsewhere")
    os.mkfifo(folder / "y.lock")
    check_is_refused(folder / "x", f"path ({folder}/x) cannot be locked: {folder}/x.lock: it is a link")
    check_is_refused(folder / "y", f"path ({folder}/y) cannot be locked: {folder}/y.lock: it is a named pipe")
    assert not (folder / "elsewhere").exists()


def test_a_file_is_removed_where_it_is(folder):
    (folder / "file").touch()
    (folder / "link").symlink_to("file")
    for _time in range(2):
        remove_file("path", str(folder / "link"))
        assert os.listdir(folder) == ["link"]


# Others who may write to the folder

WRITERS = {
    "ensure": lambda path: ensure(path).changed,
    "write": lambda path: write_atomically("dest", str(path), "new"),
    "append": lambda path: os.close(open_to_append("dest", str(path))),
    "path": lambda path: real_path("dest", str(path)),
    "read": lambda path: read_file("dest", str(path)),
}


@as_root
@pytest.mark.parametrize("mode", [0o777, 0o1777])
@pytest.mark.parametrize("act", WRITERS)
@pytest.mark.parametrize("user", [0, VICTIM])
def test_a_link_that_somebody_else_has_planted_is_not_followed(folder, mode, act, user):
    shared, home = folder / "shared", folder / "home"
    for path in (shared, home):
        path.mkdir()
    (home / "file").write_text("old")
    os.chown(home, user, user)
    os.chown(home / "file", user, user)
    (shared / "file").symlink_to(home / "file")
    os.lchown(shared / "file", ATTACKER, ATTACKER)
    shared.chmod(mode)
    before = tree(folder)
    message = run_as(user, lambda: WRITERS[act](shared / "file"))
    assert f"{shared}/file is a link of another user (uid {ATTACKER}), in a folder where others may write" in message
    assert message.startswith(f"dest ({shared}/file) cannot be ") and tree(folder) == before
    for owner in sorted({0, user}):
        os.lchown(shared / "file", owner, owner)
        assert "link of another user" not in str(run_as(user, lambda: WRITERS[act](shared / "file")))
    shared.chmod(0o755)  # nobody else could have made it
    os.lchown(shared / "file", ATTACKER, ATTACKER)
    assert "link of another user" not in str(run_as(user, lambda: WRITERS[act](shared / "file")))


@pytest.mark.parametrize("act", WRITERS)
def test_a_link_of_somebody_else_in_tmp_is_not_followed(folder, monkeypatch, act):
    """The same without root: it is this process that seems to be of somebody else."""
    link = folder.with_suffix(".link")
    (folder / "file").write_text("old")
    link.symlink_to(folder / "file")
    try:
        if SELF == 0:
            os.lchown(link, ATTACKER, ATTACKER)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: ATTACKER)
        with pytest.raises(InputError, match="is a link of another user"):
            WRITERS[act](link)
        assert (folder / "file").read_text() == "old" and os.listdir(folder) == ["file"]
    finally:
        link.unlink()


@as_root
def test_a_folder_that_somebody_else_has_planted_is_not_trusted(folder):
    folder.chmod(0o1777)
    home, planted = folder / "home", folder / "planted"
    for path in (home, planted):
        path.mkdir()
    (home / "file").write_text("old")
    (planted / "file").symlink_to(home / "file")
    (folder / "door").symlink_to(home)
    for path in (planted, planted / "file", folder / "door"):
        os.lchown(path, ATTACKER, ATTACKER)
    before = tree(folder)
    for path in (planted / "file", folder / "door/file", folder / "door/new"):
        with pytest.raises(InputError, match="is a link of another user"):
            ensure(path)
    assert tree(folder) == before


@as_root
@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_file_that_somebody_else_has_planted_is_not_written_to(folder, mode):
    """It would keep its owner, who could read what it holds then."""
    folder.chmod(mode)
    for name in ("file", "x.lock"):
        (folder / name).write_text("old")
        os.chown(folder / name, ATTACKER, ATTACKER)
    (folder / "other").write_text("mine")
    os.link(folder / "other", folder / "second")
    before = tree(folder)
    for act in ("ensure", "write", "append", "path"):
        with pytest.raises(InputError, match=rf"it belongs to another user \(uid {ATTACKER}\)"):
            WRITERS[act](folder / "file")
        with pytest.raises(InputError, match="has another hard link"):
            WRITERS[act](folder / "second")
    check_is_refused(folder / "x", "belongs to another user")
    assert tree(folder) == before
    assert read_file("src", str(folder / "file")) == "old"


@as_root
def test_a_copy_does_not_follow_a_link_that_waits_for_it(folder, monkeypatch):
    folder.chmod(0o1777)
    monkeypatch.setattr(time, "strftime", lambda _form: "now")
    (folder / "file").write_text("old")
    (folder / "file.now~").symlink_to("elsewhere")
    os.lchown(folder / "file.now~", ATTACKER, ATTACKER)
    (folder / "file.now_2~").write_text("other")
    change = ensure(folder / "file", backup=True)
    assert change.backup == f"{folder}/file.now_3~" and Path(change.backup).read_text() == "old"
    assert not (folder / "elsewhere").exists() and (folder / "file.now_2~").read_text() == "other"


@pytest.mark.parametrize("call", ["open", "readlink"])
def test_what_is_swapped_between_the_look_at_it_and_its_use_is_refused(folder, monkeypatch, call):
    (folder / "home").mkdir()
    (folder / "home/file").write_text("old")
    if call == "open":
        (folder / "sub").mkdir()
    else:
        (folder / "other").mkdir()
        (folder / "sub").symlink_to("other")
    before, real = tree(folder / "home"), getattr(os, call)

    def swap(path, *others, **options):
        if path == "sub":
            (folder / "sub").rename(folder / "away")
            (folder / "sub").symlink_to("home")
        return real(path, *others, **options)

    monkeypatch.setattr(os, call, swap)
    with pytest.raises(
        InputError, match="sub is not a folder" if call == "open" else "sub is being changed by another process"
    ):
        ensure(folder / "sub/file")
    assert tree(folder / "home") == before


def test_a_name_that_is_taken_is_not_used_for_what_is_written_first(folder, monkeypatch):
    monkeypatch.setattr(secrets, "token_hex", lambda _size: "taken")
    (folder / ".file.taken").write_text("other")
    with pytest.raises(InputError, match="cannot be written: File exists"):
        ensure(folder / "file")
    assert (folder / ".file.taken").read_text() == "other" and os.listdir(folder) == [".file.taken"]


@as_root
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_race_between_check_and_write_leads_nowhere_else(folder, what):
    """Somebody swaps what is there for a link of theirs, as fast as they can."""
    shared, home = folder / "shared", folder / "home"
    for path in (shared, home, shared / "sub"):
        path.mkdir()
    shared.chmod(0o777)
    (home / "file").write_text("old")
    name, target = ("file", home / "file") if what == "file" else ("sub", home)
    attacker = os.fork()
    if attacker == 0:
        with contextlib.suppress(BaseException):
            os.setgid(ATTACKER)
            os.setuid(ATTACKER)
            os.chdir(shared)
            while os.getppid() != 1:
                with contextlib.suppress(OSError):
                    os.unlink("link")  # what was just written, perhaps
                with contextlib.suppress(OSError):
                    os.symlink(target, "link")
                for one, other in ((name, "kept"), ("link", name), (name, "link"), ("kept", name)):
                    with contextlib.suppress(OSError):
                        os.rename(one, other)
        os._exit(0)
    written = refused = 0
    try:
        end = time.monotonic() + 20
        while min(written, refused) < 300 and time.monotonic() < end:
            try:
                ensure(shared / "file" if what == "file" else shared / "sub/file", f"text {written}")
                written += 1
            except InputError:
                refused += 1
    finally:
        os.kill(attacker, 9)
        os.waitpid(attacker, 0)
    assert (home / "file").read_text() == "old" and os.listdir(home) == ["file"] and mode_of(home / "file") == 0o644
    assert written and refused


# Any state


class States:
    """What a path may lead to, and how."""

    kinds = st.sampled_from(["nothing", "file", "pipe", "folder"])
    links = st.integers(0, 3)
    modes = st.sampled_from([0o600, 0o640, 0o644, 0o666, 0o400])
    folders = st.sampled_from([0o700, 0o755, 0o777, 0o1777])
    owners = st.sampled_from([SELF, ATTACKER] if SELF == 0 else [SELF])
    asked = st.sampled_from([None, "0600", "0644", "g+r", "o-r", "a=r"])
    umasks = st.sampled_from([0o000, 0o022, 0o077])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_there_nothing_else_changes_and_nobody_else_may_read_more(data):
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        kind, mode, asked = data.draw(States.kinds), data.draw(States.modes), data.draw(States.asked)
        is_secret = data.draw(st.booleans())
        for number in range(4):
            (folder / str(number)).mkdir()
        target = folder / "0/file"
        if kind == "file":
            target.write_text("old")
            target.chmod(mode)
            os.chown(target, data.draw(States.owners), -1)
        elif kind == "pipe":
            os.mkfifo(target)
        elif kind == "folder":
            target.mkdir()
        path = target
        for number in range(1, data.draw(States.links) + 1):
            link = folder / str(number) / "file"
            link.symlink_to(path)
            os.lchown(link, data.draw(States.owners), -1)
            path = link
        for number in range(4):
            (folder / str(number)).chmod(data.draw(States.folders))
        before, umask = tree(folder), os.umask(data.draw(States.umasks))
        access, is_backup = Access(asked, is_secret=is_secret), data.draw(st.booleans())
        try:
            foreseen = ensure(path, mode=Mode(check=True), access=access, backup=is_backup)
            assert tree(folder) == before
            change = ensure(path, access=access, backup=is_backup)
        except InputError:
            assert tree(folder) == before
            return
        finally:
            os.umask(umask)
        after = tree(folder)
        new = after.pop(str(target))
        old = before.pop(str(target), None)
        copy = after.pop(change.backup) if change.backup else None
        assert (
            after == before and kind in ("nothing", "file") and (change.changed, change.diff) == (True, foreseen.diff)
        )
        assert new[3] == b"new" and stat.S_ISREG(new[0]) and (old is None or new[1] == old[1])
        readers = stat.S_IMODE(new[0]) & 0o077
        assert not (is_secret and readers)
        if asked is None:
            assert readers == (0 if is_secret or not old else old[0] & 0o077)
        if old and is_backup:
            assert copy[3] == b"old" and copy[0] & 0o077 == (0 if is_secret else old[0] & 0o077)
        assert not ensure(path, access=access).changed
