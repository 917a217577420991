# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit trail is cleaned record by record, whatever its layout, and in little memory."""

from __future__ import annotations

import io
import json
import tracemalloc
from types import SimpleNamespace

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._access import trail_file
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import AemError, Interrupted
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.limits import Limits
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.content import read_content

RECORD = {"user": "ü\u2028", "request": "AemStopTask", "count": 12, "rate": 1.5e3, "more": [None, {"a": []}]}


def client(most=10**6, check=lambda: None):
    return SimpleNamespace(
        masked=lambda text: text.replace("hidden", "*"),
        limits=Limits(export_size=most),
        interrupt=SimpleNamespace(check=check),
    )


def cleaned(text, **options):
    to = io.BytesIO()
    kind = trail_file.clean(io.BytesIO(text if isinstance(text, bytes) else text.encode()), to, client(**options))
    return kind, to.getvalue().decode()


@pytest.fixture(params=[1, 7, 4096])
def block(request, monkeypatch):
    """Read the text in parts, which end anywhere."""
    monkeypatch.setattr(trail_file, "BLOCK", request.param)


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[]", "json"),
        (" [ ] \r\n", "json"),
        (json.dumps([RECORD] * 20), "json"),
        (json.dumps([RECORD] * 20, indent=2) + "\n", "json"),
        ('[[1, 2], [], 1234567, -1.5e10, true, null, "a,]\\""]', "json"),
        ("// Host name: em, Time: 1\n[1, 2]", "json"),
        ("{}", "json"),
        (json.dumps(RECORD, indent=1), "json"),
        ('{"a": 1}\r\n{"a": "x\u2028y"}\n\n', "json_lines"),
        ("12\n34", "json_lines"),
        ("when;who\n1;admin\n", "text"),
        ('when;"a\nb"\r\n' * 50, "text"),
        ("[1, 2", "text"),
        ("[1,", "text"),
        ("[1 2]", "text"),
        ("[1,]", "text"),
        ("[1], 2", "text"),
        ("[1]\n]", "text"),
        ("", "text"),
        ("\n\n", "text"),
    ],
)
def test_what_holds_no_secret_stays_as_it_is_and_is_of_the_kind_that_is_returned(text, kind):
    assert cleaned(text) == (kind, text)
    assert read_content(text.encode()).kind == kind


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"a":1}, {"password":"canary"},\n 3]', '[{"a":1}, {"password": "********"},\n 3]'),
        ('{"a":1}\r\n{"password":"canary"}\r\n', '{"a":1}\r\n{"password": "********"}\r\n'),
        ('[{"note":"hidden"}]', '[{"note":"*"}]'),
        ('["x", "{Y2FuYXJ5LW9mLWV4cG9ydA==}"]', '["x", "********"]'),
        ('{"records": [{"token": "canary"}]}', '{"records": [{"token": "********"}]}'),
        ("when;pwd=canary\nhidden\n", "when;pwd=********\n*\n"),
        ('x;"password=""a\nb"\nhidden\n', None),
        ('[{"password": "canary", "half": "\\ud800"}]', '[{"password": "********", "half": "\\ud800"}]'),
    ],
)
def test_no_secret_stays(text, expected):
    _kind, found = cleaned(text)
    assert "canary" not in found and "hidden" not in found
    assert expected is None or found == expected


def test_bytes_that_are_not_text_are_of_no_kind():
    assert cleaned(b"[1, \xff]")[0] is None and cleaned(b"\xff\xfe\x00")[0] is None


def test_what_cannot_be_parted_is_read_as_a_whole_if_it_is_not_too_long():
    text = json.dumps({"records": [RECORD] * 100}, indent=1)
    assert cleaned(text, most=len(text.encode())) == ("json", text)
    with pytest.raises(AemError, match="neither a JSON list nor JSON lines") as caught:
        cleaned(text, most=len(text) - 1)
    assert "narrow start and end" in caught.value.hint


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("text", ["x" * 30 + "\n", '["' + "x" * 30 + '"]', "[" + "1" * 30 + "]", '["x'])
def test_what_has_a_very_long_record_is_read_as_a_whole(monkeypatch, text):
    monkeypatch.setattr(trail_file, "LONGEST", 20)
    assert cleaned(text, most=len(text)) == (read_content(text.encode()).kind, text)


def test_it_can_be_stopped():
    def stop():
        raise Interrupted("Stopped.")

    with pytest.raises(Interrupted):
        cleaned("[1, 2]", check=stop)


@pytest.mark.parametrize("layout", ["list", "lines", "text"])
def test_the_memory_does_not_grow_with_the_trail(tmp_path, layout):
    record = json.dumps({"note": "n" * 20_000, "more": list(range(100))})
    between, ends = {"list": (", ", "[]"), "lines": ("\n", "  "), "text": (";\nwhen;", "--")}[layout]
    with open(tmp_path / "raw", "w") as file:
        file.write(ends[0] + between.join([record] * 300) + ends[1])
    size = (tmp_path / "raw").stat().st_size
    assert size > 6_000_000
    with open(tmp_path / "raw", "rb") as raw, open(tmp_path / "to", "wb") as to:
        tracemalloc.start()
        trail_file.clean(raw, to, client())
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (tmp_path / "to").stat().st_size == size
    assert most < 3_000_000, most
