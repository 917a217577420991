# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import time
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.connection import MASK
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.masking import Secrets, all_of, secrets_in

AWKWARD = "p\"a's\\s %&+/=<ü>\t€x"


def forms(secret, user):
    basic = base64.b64encode(f"{user}:{secret}".encode()).decode()
    return [
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote(secret, safe="").lower(),
        quote_plus(secret),
        quote(quote(secret, safe=""), safe=""),
        base64.b64encode(secret.encode()).decode(),
        base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
        basic,
        quote(basic, safe=""),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        repr(secret)[1:-1],
        repr(secret.encode())[2:-1],
        ascii(secret)[1:-1],
    ]


TWISTED = [
    "\\\\srv\\share",
    '\\"x',
    '"',
    "\\",
    "a\\nb",
    "\\\n",
    "a&amp;b",
    "&&amp;",
    "%25%",
    "\\/'\\\\\"",
    "\\u005c",
    "ü\\ü\\",
]


@pytest.mark.parametrize(
    "secret", [AWKWARD, "simple", "with blank", "100%", "trailing\\", "a\U0001f600b", "abW", ">>>???", *TWISTED]
)
def test_every_form_is_masked_and_nothing_around_it(secret):
    secrets = Secrets()
    secrets.add([("someone", secret)])
    for form in forms(secret, "someone"):
        assert secrets.mask(f"[{form}]") == f"[{MASK}]", form
        assert secrets.mask(form) == MASK, form


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("maß", "MASS", MASK),
        ("xĀ", "x\\U00000100", MASK),
        ("x\"'", "x\\&quot;\\&#x27;", MASK),  # JSON in HTML
        ("+x", "\\+x", f"\\{MASK}"),
        ("x&", "x&" + "amp;" * 6, f"{MASK}amp;"),
        ("x&amp", "PWD=x&amp;Server=y", f"PWD={MASK};Server=y"),
        ("x&amp", "PWD=x&amp;amp;Server=y", f"PWD={MASK};Server=y"),
        # A variable of bytes that are not UTF-8.
        ("x\udcff", "x\udcff", MASK),
        ("x\udcff", "x\\udcff", MASK),
        ("x\udcff", "x%ED%B3%BF", MASK),
        ("x\udcff", base64.b64encode(b"x\xed\xb3\xbf").decode(), MASK),
    ],
)
def test_forms_that_are_rare(secret, text, shown):
    assert Secrets([("someone", secret)]).mask(f"[{text}]") == f"[{shown}]"


def test_no_sign_can_be_matched_in_two_ways():
    """Each would double the time that a near miss takes: this would never end."""
    text = f"{'ü' * 60}y"
    assert Secrets([("", f"{'ü' * 60}x")]).mask(text) == text


def test_all_nestings_are_masked_and_the_rest_is_left_as_it_is():
    secrets = Secrets()
    secrets.add([("", "s3cr3t")])
    value = {"a": ["x s3cr3t y", ("s3cr3t",)], "b": {"c": 1, "d": None, "e": True}}
    assert secrets.mask(value) == {"a": ["x ******** y", ["********"]], "b": {"c": 1, "d": None, "e": True}}


def test_a_secret_that_contains_another_is_masked_as_a_whole():
    secrets = Secrets()
    secrets.add([("", "bc"), ("", "abcdef")])
    assert secrets.mask("abcdef bc") == "******** ********"


@pytest.mark.parametrize("secret", ["", " "])
def test_a_blank_secret_masks_nothing(secret):
    secrets = Secrets()
    secrets.add([("", secret)])
    assert secrets.mask("a b") == "a b"


def test_every_secret_is_known_used_or_not():
    params = {
        "username": "someone@corp.example",
        "password": "s3cr3t",
        "jwt": "j1",
        "proxy": "http://me:p%40ss@proxy:3128",
        "url": "https://you:pw@em",
        "pin": "its own",
        "settings": {"db_password": "by its name", "host": "not secret"},
    }
    environ = {"QLIK_EM_PASSWORD": "env-pw", "QLIK_EM_USERNAME": "env-user", "QLIK_EM_SESSION_ID": "env-session"}
    assert set(secrets_in(params, environ, {"pin": all_of})) == {
        ("someone@corp.example", "s3cr3t"),
        ("jwt", "j1"),
        ("env-user", "env-pw"),
        ("env-user", "env-session"),
        ("me", "p%40ss"),
        ("me", "p@ss"),
        ("you", "pw"),
        ("", "its own"),
        ("", "by its name"),
    }


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, set()),
        ({"password": "x"}, {("", "x")}),
        ({"username": 7, "password": 8}, {("7", "8")}),
        ({"password": " x\n"}, {("", " x\n"), ("", "x")}),
        ({"api_token": "t", "session_id": "s"}, {("api-token", "t"), ("", "s")}),
        ({"url": "https://em"}, set()),
        ({"url": "https://user@em"}, set()),
        ({"proxy": "me:a:b@c@proxy"}, {("me", "a:b@c")}),
        ({"proxy": "http://me:a://b@proxy"}, {("me", "a://b")}),
        ({"proxy": "me:a://b@proxy"}, {("me", "a://b")}),
        ({"pin": None, "other": None}, set()),
        ({"pin": 7, "other": "x"}, {("", "pin 7 of 2")}),
        ({"other": [{"token": "t"}]}, {("", "t")}),
    ],
)
def test_the_secrets_in_options(params, expected):
    def find(value, options):
        return [f"pin {value} of {len(options)}"]

    assert set(secrets_in(params, {}, {"pin": find})) == expected


def test_the_names_of_members_are_masked_unless_the_secret_may_be_a_word_of_them():
    secrets = Secrets([("", "state"), ("", "s3cr3t-t0ken-that-is-long"), ("", "x" * 20)])
    value = {"state": "state", "s3cr3t-t0ken-that-is-long": 1, 7: "x", "x" * 20: 2, "x" * 19: 3, None: 4}
    assert secrets.mask(value) == {"state": MASK, MASK: 2, 7: "x", "x" * 19: 3, None: 4}


def test_numbers_that_are_secrets_are_masked():
    secrets = Secrets([("", "1234"), ("", "1.5"), ("", "True")])
    assert secrets.mask([1234, 12345, 1.5, True, 0]) == [MASK, 12345, MASK, True, 0]


def test_a_secret_that_is_too_long_for_a_pattern_is_masked_as_it_is():
    long = "x" * 16385
    secrets = Secrets([("", long), ("", "y" * 16383 + " ")])
    assert secrets.mask(f"<{long}>") == f"<{MASK}>" and secrets.mask("y" * 16383 + "%20") == MASK
    assert secrets.mask("x" * 16384) == "x" * 16384


# What takes long to search: each sign of it may be the begin of an encoded one.
HOSTILE = ["\\", "&amp;", "&" + "amp;" * 10000, "%25", "%" + "25" * 20000, "&#" + "0" * 40000]
HOSTILE += ['"', '\\"', "=", "%3d", "p"]
HOSTILE += ["\\" * 16 + '"', "\\" * 32 + "/", " ", "+", "/", "\\u005c", "\\x5c", "\\%5c", "\\u0022", "&quot;", "{", "ü"]


@pytest.mark.parametrize(
    "secret", [AWKWARD, *TWISTED, '"pw', "\\" * 6, '\\"' * 6, "&amp;" * 6 + "x", "/x/", "x==", "0\t0"]
)
def test_a_hostile_text_is_searched_in_linear_time(secret):
    """It took 20 s for one secret, and for some for ever. A quarter of the text may take a quarter of the time."""
    secrets = Secrets([("someone", secret)])
    for sign in HOSTILE:
        text = (sign * (40000 // len(sign) + 1))[:40000]
        begin = time.process_time()
        secrets.mask(text)
        assert time.process_time() - begin < 2, sign[:20]


@pytest.mark.parametrize("depth", range(5))
def test_a_secret_in_json_in_json_is_masked(depth):
    text = AWKWARD
    for _level in range(depth):
        text = json.dumps(text)
    assert Secrets([("", AWKWARD)]).mask(f"[{text}]").replace("\\", "").replace('"', "") == f"[{MASK}]"
