# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.connection import connection_from

PARAMS = {
    "url": "https://em.example.com",
    "username": "someone@corp.example",
    "password": "s3cr3t",
    "api_token": None,
    "jwt": None,
    "session_id": None,
    "validate_certs": True,
    "ca_path": None,
    "client_cert": None,
    "client_key": None,
    "proxy": None,
    "connect_timeout": 10,
    "request_timeout": 60,
}
NO_LOGIN = dict(PARAMS, username=None, password=None)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("em.example.com", "https://em.example.com/attunityenterprisemanager"),
        ("https://em.example.com/", "https://em.example.com/attunityenterprisemanager"),
        (" https://em.example.com:8443 ", "https://em.example.com:8443/attunityenterprisemanager"),
        ("HTTPS://em.example.com", "https://em.example.com/attunityenterprisemanager"),
        ("https://em.example.com/other/", "https://em.example.com/other"),
        ("https://em.example.com/other/api/v1", "https://em.example.com/other"),
        ("https://em.example.com/api/v1", "https://em.example.com/attunityenterprisemanager"),
        ("em.example.com:8443/x", "https://em.example.com:8443/x"),
        ("https://[::1]:8443", "https://[::1]:8443/attunityenterprisemanager"),
    ],
)
def test_the_base_url(url, base):
    assert connection_from(dict(PARAMS, url=url), {}).url == base


def test_basic_is_built_from_utf_8():
    login = connection_from(dict(PARAMS, username="jörg", password="pä%+ ß"), {}).login
    assert base64.b64decode(login.authorization().split()[1]).decode() == "jörg:pä%+ ß"


@pytest.mark.parametrize(("option", "user"), [("api_token", "api-token"), ("jwt", "jwt")])
def test_tokens_travel_as_basic_too(option, user):
    connection = connection_from(dict(NO_LOGIN, **{option: "t0k3n"}), {})
    assert base64.b64decode(connection.login.authorization().split()[1]).decode() == f"{user}:t0k3n"
    assert connection.user == f"the owner of {option}"


def test_a_session_may_be_accompanied_by_one_other_way():
    connection = connection_from(dict(PARAMS, session_id="abc"), {})
    assert connection.session_id == "abc" and connection.login.user == "someone@corp.example"
    connection = connection_from(dict(NO_LOGIN, session_id="abc"), {"QLIK_EM_JWT": "ignored"})
    assert connection.login is None
