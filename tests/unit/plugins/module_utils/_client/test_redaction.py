# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a secret: names of members, encrypted values, and parts of texts."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.redaction import (
    is_encrypted,
    is_secret_name,
    leaves,
    redacted,
    secret_texts,
    secrets_in_text,
)
from hypothesis import given, settings
from hypothesis import strategies as st

ENCRYPTED = "{QUJDREVGR0hJSktMTU5P}"


@pytest.mark.parametrize(
    "name",
    [
        *("password", "Password", "target_password", "userPasswd", "pwd", "PWD", "password2", "newPassword"),
        *("passphrase", "privateKeyPassphrase", "clientSecret", "client_secret", "secrets", "secretKey"),
        *("adlsclientappkey", "accountKey", "account_key", "storageAccountKey", "accessKey", "awsSecretAccessKey"),
        *("jsonCredentials", "credentials", "connectionString", "connection_string", "encryptionKey", "sharedKey"),
        *("keytab", "authorization", "Authorization", "securityDbEncryptionKey", "securityDbEncryptionName"),
        *("apiKey", "x-api-key", "authToken", "sas_token", "sessionId", "jwt", "masterKey", "signingKey"),
    ],
)
def test_names_of_secrets(name):
    assert is_secret_name(name)
    assert redacted({name: "x"}) == {name: "********"}


@pytest.mark.parametrize(
    "name",
    [
        *("privateKeyFile", "keytabFile", "passwordFile", "accountKeyType", "secretStore", "tokenCaching", "topic_key"),
        *("file_name_token", "key", "primary_key", "username", "server", "passwordExpires", "keyColumn", "sslKey"),
        *("credentialsType", "authentication_mode", "value", "sig", "compass", "secretary", "monkey"),
    ],
)
def test_names_of_plain_settings(name):
    assert not is_secret_name(name)
    assert redacted({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Driver=x;PWD=abc;Server=y", "Driver=x;PWD=#;Server=y"),
        ("pwd = abc ; x=1", "pwd = #; x=1"),
        ("PWD={a;b}};c};Server=y", "PWD={#};Server=y"),
        ('password="a;b";c=d', 'password="#";c=d'),
        ("Password='a\\'b';c=d", "Password='#';c=d"),
        ("User Id=u;Account Key=abc==;EndpointSuffix=x", "User Id=u;Account Key=#;EndpointSuffix=x"),
        ("AccountKey=abc==;EndpointSuffix=x", "AccountKey=#;EndpointSuffix=x"),
        ("https://user:abc@host/x", "https://user:#@host/x"),
        ("https://h/?a=1&sig=abc%3D&b=2", "https://h/?a=1&sig=#&b=2"),
        ("Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer #"),
        ('{"user": "u", "password": "abc"', '{"user": "u", "password": "#"'),
        ('{"": "{Y2FuYXJ5LW9mLWV4cG9ydA==}"', '{"": "#"'),
        ("password=a&b;c=d", "password=#;c=d"),
        ("accountKeyType=abc;privateKeyFile=/x", "accountKeyType=abc;privateKeyFile=/x"),
        ("password=;c=d", "password=;c=d"),
        ("{0B1D3C4E-1111-2222-3333-444455556666}", "{0B1D3C4E-1111-2222-3333-444455556666}"),
        (f"PWD={ENCRYPTED};x=1", "PWD=#;x=1"),
        (f"x={ENCRYPTED};y='{ENCRYPTED}';z=1", "x=#;y='#';z=1"),
        (f'{{"": "{ENCRYPTED}", "n": 1', '{"": "#", "n": 1'),
        ("PWD=a;x=1;PWD=b;y=2;token=c", "PWD=#;x=1;PWD=#;y=2;token=#"),
        ("https://u:abc@h/ Bearer abcdefgh PWD=b", "https://u:#@h/ Bearer # PWD=#"),
    ],
)
def test_only_the_secret_part_of_a_text_is_covered(text, shown):
    assert redacted(text, lambda _secret: "#") == shown
    assert redacted([text], lambda _secret: "#") == [shown]


def test_what_covers_a_secret_in_a_text_gets_it():
    assert redacted("PWD=a;x=1;token=b", "<{}>".format) == "PWD=<a>;x=1;token=<b>"


def test_json_in_a_text_is_covered_at_any_depth():
    text = json.dumps({"a": json.dumps([{"apiKey": "abc", "b": 1}]), "x": "PWD=abc;"})
    assert "abc" not in redacted(text) and json.loads(redacted(text))["x"] == "PWD=********;"
    assert redacted(' {"password": ["ä"], "b": "ü"}', "<{}>".format) == '{"password": ["<ä>"], "b": "ü"}'
    assert redacted('["a", {"password": [1]}]', "<{}>".format) == '["a", {"password": ["<1>"]}]'
    plain = '{"a":   1.10}'
    assert redacted(plain) == plain  # as it was, if nothing is to be covered


def test_all_below_the_name_of_a_secret_is_one():
    value = {"password": {"a": ["x", 7, None, "", True, [1.5]], "b": "y"}}
    assert redacted(value, "<{}>".format) == {"password": {"a": ["<x>", "<7>", None, "", True, ["<1.5>"]], "b": "<y>"}}
    assert leaves(value) == ["x", "7", "1.5", "y"]


def test_a_pair_has_a_name_of_its_own():
    for name in ("name", "key"):
        assert redacted([{name: "password", "value": "x"}]) == [{name: "password", "value": "********"}]
        assert redacted({name: "host", "value": "x", "VALUE": "y"}) == {name: "host", "value": "x", "VALUE": "y"}
    assert redacted({"name": "host", "key": "password", "value": "x"})["value"] == "x"


def test_without_names_only_what_is_encrypted_is_covered():
    value = {"password": "x", "all": [ENCRYPTED, "PWD=x", {"password": ENCRYPTED}]}
    shown = {"password": "x", "all": [f"<{ENCRYPTED}>", "PWD=x", {"password": f"<{ENCRYPTED}>"}]}
    assert redacted(value, "<{}>".format, by_name=False) == shown
    assert list(secret_texts(value, by_name=False)) == [ENCRYPTED, ENCRYPTED]


def test_small_numbers_and_booleans_are_not_searched_for():
    value = {"password": 123, "pin": True, "secret": 12345, "token": False, "pwd": "1234"}
    assert list(secret_texts(value)) == ["12345", "1234"]


PARTS = st.sampled_from(['"', "'", "{", "}", "=", ";", "&", "\\", ":", "//", "@", " ", "PWD", "Bearer ", "a.b-c", "\n"])


@settings(max_examples=200, deadline=None)
@given(st.lists(PARTS | st.text(max_size=4), max_size=40).map("".join))
def test_in_any_text_nothing_is_covered_twice(text):
    shown = redacted(text, lambda _secret: "")
    assert len(shown) <= len(text) or text.lstrip()[:1] in "{["
    for secret in secret_texts(text):
        assert secret in text or text.lstrip()[:1] in ("{", "[")


ODD = ["a ", "a=", '"\\', '"', "PWD={;", 'PWD=";', "PWD=';", "://", '{"password":"', "Bearer "]


def seconds_for(text):
    """Return how long a text is searched on this processor, whatever else it does meanwhile."""

    def once():
        begin = time.process_time()
        list(secrets_in_text(text))
        return time.process_time() - begin

    return min(once() for _attempt in range(3))


@pytest.mark.parametrize("part", ODD)
def test_four_times_as_long_a_text_is_searched_in_linear_time(part):
    short, long = part * 5_000, part * 20_000
    assert seconds_for(long) < 9 * seconds_for(short) + 0.01


@given(st.text(max_size=20).filter(lambda text: not set(text) & set(";\"\r\n{}'") and text.strip()))
@settings(max_examples=100, deadline=None)
def test_each_value_of_a_connection_string_is_found(secret):
    secret = f"x{secret}"  # a small number may stand anywhere
    text = f"Driver=x;PWD={secret};Server=y"
    shown = redacted(text, lambda _secret: "#")
    assert shown.startswith("Driver=x;PWD=") and shown.endswith(";Server=y")
    assert secret.strip() in " ".join(secret_texts(text)) or "&" in secret or is_encrypted(secret)


@pytest.mark.parametrize("begin", ['"', ""])
@pytest.mark.parametrize(
    "part", ['\\"', "pwd={;", "pwd='a;", 'pwd="', "Basic ", "://a:b", "a=&", "a ", "a.b-", '"a" :']
)
def test_a_hostile_text_is_searched_in_linear_time(begin, part):
    """It took 26 s."""
    text = begin + part * (20000 // len(part))
    start = time.process_time()
    list(secret_texts(text))
    assert time.process_time() - start < 3
