# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The connection options: where Enterprise Manager is, how to log in, whom to trust."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

from .checks import check_name, check_seconds
from .errors import InputError
from .masking import LONGEST, pieces
from .redaction import leaves, secret_texts

STANDARD_PATH = "/attunityenterprisemanager"
API_PATH = "/api/v1"

# The options that carry a secret and the user name that stands before it in the Basic header (notes, 2).
SECRET_OPTIONS = {"password": "", "api_token": "api-token", "jwt": "jwt", "session_id": ""}
# Options of single modules that are secret: a password, a licence (of which each line is one), settings.
SERVER_PASSWORD, LICENSE, SETTINGS = "server_password", "license", "secrets"
# Texts that may be JSON with secrets in it.
JSON_TEXTS = ("body", "definition")


class Login(NamedTuple):
    """One way to log in: the two halves of the Basic header, and how messages call the user."""

    user: str
    secret: str
    label: str

    def authorization(self) -> str:
        """Return the value of the Authorization header, built from UTF-8."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode("ascii")


class Connection(NamedTuple):
    """Checked connection options. ``url`` ends before ``/api/v1``; time-outs are seconds."""

    url: str
    login: Login | None
    session_id: str | None
    validate_certs: bool = True
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    proxy: str | None = None
    connect_timeout: float = 10
    request_timeout: float = 60

    @property
    def user(self) -> str:
        """The user as messages name him."""
        return self.login.label if self.login else "the owner of session_id"

    @property
    def address(self) -> str:
        """The URL in one spelling. The API tells no other identity of an installation (notes, 12)."""
        parts = urlsplit(self.url.lower())
        return f"https://{parts.netloc.removesuffix(':443')}{parts.path}"

    def build_url(self, path: tuple[str, ...], query: Mapping[str, Any]) -> str:
        """Return the URL of a call: each name percent-encoded once, as one path segment or one query value."""
        segments = [quote(check_name("A name in the path", name), safe="") for name in path]
        url = "/".join([self.url + API_PATH, *segments])
        return f"{url}?{urlencode(query, quote_via=quote, safe='')}" if query else url


def variable(option: str) -> str:
    """Return the environment variable of an option."""
    return "QLIK_EM_" + option.upper()


def connection_from(params: Mapping[str, Any], environ: Mapping[str, str]) -> Connection:
    """Check the connection options and return them; raise InputError with one clear line.

    ``environ`` is asked for the login options only (see _login_options); the fallbacks of the others are in the spec.
    """
    url = _base_url(params["url"])
    login, session_id = _login(_login_options(params, environ))
    if bool(params["client_cert"]) != bool(params["client_key"]):
        given, missing = ("client_cert", "client_key") if params["client_cert"] else ("client_key", "client_cert")
        raise InputError(f"{given} needs {missing} (name the same file twice if it holds both).")
    return Connection(
        url=url,
        login=login,
        session_id=session_id,
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"],
        client_cert=params["client_cert"],
        client_key=params["client_key"],
        proxy=_proxy(params["proxy"]),
        connect_timeout=check_seconds("connect_timeout", params["connect_timeout"]),
        request_timeout=check_seconds("request_timeout", params["request_timeout"]),
    )


def secrets_in(params: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield a ``(user, secret)`` pair for each secret in the options and the variables, used or not."""
    for values in (params, {option: environ.get(variable(option)) for option in (*SECRET_OPTIONS, "username")}):
        for option, user in SECRET_OPTIONS.items():
            if values.get(option):
                yield user or str(values.get("username") or ""), str(values[option])
    if params.get(SERVER_PASSWORD):
        yield "", str(params[SERVER_PASSWORD])
    if params.get(LICENSE):
        text = params[LICENSE] if isinstance(params[LICENSE], str) else json.dumps(params[LICENSE])
        yield from (("", piece) for piece in ([text] if len(text) > LONGEST else pieces(text)))
    for option, value in params.items():
        if option == SETTINGS and isinstance(value, dict):
            yield from (("", secret) for secret in leaves(value))
        elif isinstance(value, (dict, list)) or option in JSON_TEXTS:
            yield from (("", secret) for secret in secret_texts(value))
    for option in ("url", "proxy"):
        # A password inside a URL is refused (url) or used (proxy); neither way may it be shown, also if it has a slash.
        before_host = str(params.get(option) or "").rpartition("@")[0].rpartition("://")[2]
        user, _colon, password = before_host.partition(":")
        if password:
            yield user, password
            yield unquote(user), unquote(password)


def _base_url(url: str | None) -> str:
    """Return the URL without trailing slash and without the API's own path; https and the standard path are added."""
    if not url or not url.strip():
        raise InputError("url is missing: give the option url or set QLIK_EM_URL.")
    url = url.strip()
    parts = _split(url if "://" in url else f"https://{url}")
    if parts.scheme == "http":
        raise InputError("url must begin with https://: over http the password would travel in the clear.")
    if "@" in parts.netloc:
        raise InputError("url must not contain a user or a password: use the options username and password.")
    if parts.scheme != "https" or parts.query or parts.fragment:
        raise InputError(f'url "{url}" is not of the form https://host[:port][/path].')
    path = parts.path.rstrip("/")
    if path.endswith(API_PATH):
        path = path[: -len(API_PATH)]
    return f"https://{parts.netloc}{path or STANDARD_PATH}"


def _split(url: str) -> SplitResult:
    """Return the parts of ``url``; without scheme if host or port are unusable."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_encoded = "%" in host and ":" not in host  # in an IPv6 address it stands before the zone
        if host and parts.port != 0 and not is_encoded and not any(sign.isspace() for sign in url):
            return parts
    except ValueError:  # a port that is no number, an IPv6 address without its second bracket
        pass
    return SplitResult("", "", "", "", "")


def _proxy(proxy: str | None) -> str | None:
    if not proxy:
        return None
    if _split(proxy).scheme != "http":
        raise InputError(
            "proxy is not of the form http://[user:password@]host:port (the tunnel carries TLS all the way)."
        )
    return proxy


def _login_options(params: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the login options that count: the explicit ones, or the variables if there is no explicit one."""
    names = ("username", *SECRET_OPTIONS)
    explicit = {name: params[name] for name in names if params.get(name) is not None}
    empty = [name for name, value in explicit.items() if not value.strip()]
    if empty:
        raise InputError(f"{empty[0]} must not be empty.")
    return explicit or {name: environ[variable(name)] for name in names if environ.get(variable(name))}


def _login(options: dict[str, str]) -> tuple[Login | None, str | None]:
    """Return the one way to log in (None: only a session) and the passed-in session id."""
    ways = [way for way in ("username", "api_token", "jwt") if way in options]
    if "password" in options and "username" not in options:
        raise InputError("password needs username, given the same way (both as options, or both as variables).")
    if "username" in options and "password" not in options:
        raise InputError("username needs password, given the same way (both as options, or both as variables).")
    if len(ways) > 1:
        raise InputError(f"Only one way to log in may be given, not {' and '.join(ways)}.")
    if not options:
        raise InputError(
            "No way to log in: give username and password, api_token, jwt or session_id, or set QLIK_EM_USERNAME and "
            "QLIK_EM_PASSWORD, QLIK_EM_API_TOKEN, QLIK_EM_JWT or QLIK_EM_SESSION_ID."
        )
    session_id = options.get("session_id")
    if session_id and not (session_id.isascii() and session_id.isprintable() and " " not in session_id):
        raise InputError("session_id must be one line of printable ASCII without blanks.")
    if not ways:
        return None, session_id
    if ways == ["username"]:
        username, password = options["username"], options["password"]
        if ":" in username:
            raise InputError("username must not contain a colon: the API reads what follows as the password.")
        if ":" in password:
            raise InputError("password must not contain a colon: the API cannot take one. Change it in the directory.")
        return Login(username, password, f'user "{username}"'), session_id
    way = ways[0]
    return Login(SECRET_OPTIONS[way], options[way], f"the owner of {way}"), session_id
