# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The options that every module has; their spec is in module_utils/_run/arguments.py."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - Where Enterprise Manager is, as V(https://host[:port][/path]).
      - V(https://) is added if there is no scheme, and the standard path V(/attunityenterprisemanager) if there is no
        path. V(http://) is refused.
      - Required, here or in the environment variable E(QLIK_EM_URL).
    type: str
  username:
    description:
      - The user to log in, as V(user@domain) or V(DOMAIN\\user). Needs O(password).
      - Between double quotes, YAML reads a backslash and what follows as one character. A control character, such as a
        newline, in the user, a secret or any name is a failure, and nothing is sent.
      - The environment variables E(QLIK_EM_USERNAME), E(QLIK_EM_PASSWORD), E(QLIK_EM_API_TOKEN), E(QLIK_EM_JWT) and
        E(QLIK_EM_SESSION_ID) count only if none of O(username), O(password), O(api_token), O(jwt) and O(session_id) is
        given.
    type: str
  password:
    description:
      - The password of O(username). The API does not accept one with a colon.
      - See O(username) for the environment variable E(QLIK_EM_PASSWORD).
    type: str
  api_token:
    description:
      - A personal access token from the Enterprise Manager console, for installations that log in by OpenID Connect.
      - See O(username) for the environment variable E(QLIK_EM_API_TOKEN).
    type: str
  jwt:
    description:
      - A JSON Web Token, for installations that accept one.
      - See O(username) for the environment variable E(QLIK_EM_JWT).
    type: str
  session_id:
    description:
      - The id of a session that M(dataops.qlik_em.aem_session) opened. The other modules use it and never end it.
      - One other way to log in may be given with it. It is used when the session has expired.
      - See O(username) for the environment variable E(QLIK_EM_SESSION_ID).
    type: str
  validate_certs:
    description:
      - Whether the server's certificate is verified. Leave this on, except to try something out.
      - If not set, the environment variable E(QLIK_EM_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - A PEM file (or a folder prepared by C(openssl rehash)) with the CA certificates to trust, and no others.
      - Without it, the system's own store is trusted. C(REQUESTS_CA_BUNDLE) and C(CURL_CA_BUNDLE) have no effect.
      - If not set, the environment variable E(QLIK_EM_CA_PATH) is used.
    type: path
  client_cert:
    description:
      - A PEM file with a client certificate, for servers (or proxies in front of them) that require one. Needs
        O(client_key).
      - If not set, the environment variable E(QLIK_EM_CLIENT_CERT) is used.
    type: path
  client_key:
    description:
      - A PEM file with the unencrypted key of O(client_cert). It may be the same file.
      - If not set, the environment variable E(QLIK_EM_CLIENT_KEY) is used.
    type: path
  proxy:
    description:
      - The proxy to go through, as V(http://[user:password@]host:port). C(HTTPS_PROXY) and similar variables have no
        effect.
      - If not set, the environment variable E(QLIK_EM_PROXY) is used.
    type: str
  connect_timeout:
    description:
      - How long to wait for a connection, in seconds.
      - If not set, the environment variable E(QLIK_EM_CONNECT_TIMEOUT) is used.
    type: int
    default: 10
  request_timeout:
    description:
      - How long a call may take, repetitions included, in seconds. A call that sets a time limit for the server may
        take that long plus 15 seconds instead.
      - If not set, the environment variable E(QLIK_EM_REQUEST_TIMEOUT) is used.
    type: int
    default: 60
requirements:
  - Python 3.9 or newer
  - The Python library C(requests) 2.25.1 or newer, for the Python that runs the module
"""
