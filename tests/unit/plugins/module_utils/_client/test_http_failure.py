# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import ssl

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.connection import Connection
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.http_failure import failure_of
from requests.exceptions import ProxyError

CONNECTION = Connection("https://em.example.com/x", None, None, proxy="http://proxy.example.com:3128")


def tls_error(reason):
    """Return an error as OpenSSL gives it."""
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize("reason", ["It is over", "It is over."])
@pytest.mark.parametrize(
    ("kind", "sent", "text"),
    [
        (ValueError, True, "https://em.example.com/x gave no usable answer"),
        (ValueError, False, "No connection to https://em.example.com/x"),
        (tls_error, False, "No TLS connection to https://em.example.com/x"),
        (ProxyError, False, "The proxy proxy.example.com:3128 refused or could not reach https://em.example.com/x"),
    ],
)
def test_a_reason_that_ends_in_a_full_stop_gets_no_second_one(kind, sent, text, reason):
    assert failure_of(kind(reason), sent, CONNECTION).message == f"{text}: It is over."


def test_a_host_name_that_cannot_be_resolved_is_named_and_nothing_was_sent():
    failure = failure_of(socket.gaierror(-2, "Name or service not known"), False, CONNECTION)
    assert failure.message == "The host name em.example.com of https://em.example.com/x cannot be resolved."
    assert failure.hint == "Check url." and not failure.sent and not failure.final
