# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private CA and the certificates, made anew at each start."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

KINDS = ("good", "expired", "wrong_name", "unknown_ca")
_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Tls:
    """The server's context and the files that a client needs."""

    context: ssl.SSLContext
    ca_path: Path
    client_cert: Path | None = None
    client_key: Path | None = None


def make(directory: Path, kind: str = "good", ask_client: bool = False) -> Tls:
    """Write ca.pem (and client.pem, client.key if clients must show one) and build the server's context.

    `kind` picks what is wrong with the server's certificate: nothing, its dates, its name, or its issuer (then it is
    not the CA in ca.pem that signed it).
    """
    if kind not in KINDS:
        raise ValueError(f"certificate must be one of {', '.join(KINDS)}, not {kind!r}")
    ca = trustme.CA(organization_name="dataops.qlik_em stand-in")
    issuer = trustme.CA(organization_name="somebody else") if kind == "unknown_ca" else ca
    names = ("em.example.com",) if kind == "wrong_name" else _NAMES
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    end = now - day if kind == "expired" else now + 365 * day
    certificate = issuer.issue_cert(*names, not_before=now - 30 * day, not_after=end)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    certificate.configure_cert(context)

    directory.mkdir(parents=True, exist_ok=True)
    ca_path = directory / "ca.pem"
    ca.cert_pem.write_to_path(str(ca_path))
    if not ask_client:
        return Tls(context, ca_path)
    client = ca.issue_cert("client@example.com", common_name="client")
    client_cert, client_key = directory / "client.pem", directory / "client.key"
    client_cert.write_bytes(b"".join(part.bytes() for part in client.cert_chain_pems))
    client_key.touch(mode=0o600)
    client_key.write_bytes(client.private_key_pem.bytes())
    ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return Tls(context, ca_path, client_cert, client_key)
