# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The connection options: where Enterprise Manager is, how to log in, whom to trust."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from .checks import check_characters, check_seconds
from .errors import InputError

STANDARD_PATH = "/attunityenterprisemanager"
API_PATH = "/api/v1"

# The options that carry a secret, and the user name before it in the Basic header
# (docs/enterprise_manager_api.md, 2.2).
SECRET_OPTIONS = {"password": "", "api_token": "api-token", "jwt": "jwt", "session_id": ""}
MASK = "********"  # what is shown in place of a secret

# All connection options: the type as Ansible names it, and the default. Their documentation is in the fragment
# `connection`.
OPTIONS: dict[str, tuple[str, Any]] = {
    "url": ("str", None),
    "username": ("str", None),
    "password": ("str", None),
    "api_token": ("str", None),
    "jwt": ("str", None),
    "session_id": ("str", None),
    "validate_certs": ("bool", True),
    "ca_path": ("path", None),
    "client_cert": ("path", None),
    "client_key": ("path", None),
    "proxy": ("str", None),
    "connect_timeout": ("int", 10),
    "request_timeout": ("int", 60),
}
LOGIN_OPTIONS = ("username", *SECRET_OPTIONS)


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
        """The URL in one spelling: the API shows no other identity (docs/enterprise_manager_api.md, 1.7)."""
        parts = urlsplit(self.url.lower())
        return f"https://{parts.netloc.removesuffix(':443')}{parts.path}"


def variable(option: str) -> str:
    """Return the environment variable of an option."""
    return "QLIK_EM_" + option.upper()


def connection_from(params: Mapping[str, Any], environ: Mapping[str, str]) -> Connection:
    """Check the connection options and return them; raise InputError with one clear line.

    ``environ`` is asked for the login options only (see _login_options), and for what to call the others, which the
    caller has looked up.
    """
    for option in ("url", "proxy"):
        value = params[option] or ""
        check_characters(variable(option) if value == environ.get(variable(option)) else option, value.strip())
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


def _base_url(url: str | None) -> str:
    """Return the URL without trailing slash and without the API's own path; https and the standard path are added."""
    if not url or not url.strip():
        raise InputError("url is missing: give the option url or set QLIK_EM_URL.")
    url = url.strip()
    parts = _split(url if "://" in url else f"https://{url}")
    if parts.scheme == "http":
        raise InputError("url must begin with https://: with http the password would be sent in clear text.")
    if "@" in parts.netloc:
        raise InputError("url must not contain a user or a password: use the options username and password.")
    if parts.scheme != "https" or parts.query or parts.fragment:
        raise InputError(f'url "{url}" is not in the form https://host[:port][/path].')
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
    except ValueError:  # a port that is not a number, an IPv6 address without its second bracket
        pass
    return SplitResult("", "", "", "", "")


def _proxy(proxy: str | None) -> str | None:
    if not proxy:
        return None
    if _split(proxy).scheme != "http":
        raise InputError(
            "proxy is not in the form http://[user:password@]host:port (TLS runs through the tunnel, up to the server)."
        )
    return proxy


def _login_options(params: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the login options that count: the explicit ones, or the variables if there is no explicit one."""
    explicit = {name: params[name] for name in LOGIN_OPTIONS if params.get(name) is not None}
    empty = [name for name, value in explicit.items() if not value.strip()]
    if empty:
        raise InputError(f"{empty[0]} must not be empty.")
    for name, value in explicit.items():
        check_characters(name, value)
    if explicit:
        return explicit
    # A refused login may lock the account, and would be sent by each run again.
    given = {name: environ[variable(name)] for name in LOGIN_OPTIONS if environ.get(variable(name))}
    return {name: check_characters(variable(name), value) for name, value in given.items()}


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
    if session_id and not (session_id.isascii() and " " not in session_id):
        raise InputError("session_id must be one line of printable ASCII without spaces.")
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
