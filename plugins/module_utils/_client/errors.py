# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Everything that can go wrong, as exceptions."""

from __future__ import annotations

from typing import Any

# Those error codes that the code itself decides by, everywhere; what all of them mean is in ``error_codes``.
UNAUTHORIZED_REQUEST = "UNAUTHORIZED_REQUEST"
INVALID_SESSION_ID = "INVALID_SESSION_ID"


class AemError(Exception):
    """Base of all failures; ``str()`` is one line for a human.

    ``facts`` are the structured fields that a failed result shows beside ``msg``.
    ``changed`` is true if this run may have changed something before it failed; None: not that
    this place knows, and the guard around all writes (``writes.py``) decides. ``lines`` are shown below the message.
    ``not_found`` is the path of the server, task or endpoint that does not exist, if that is what went wrong.
    """

    def __init__(self, message: str, hint: str = "", not_found: tuple[str, ...] = (), **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.facts = {key: value for key, value in facts.items() if value is not None}
        self.changed: bool | None = None
        self.warnings: list[str] = []
        self.lines: list[str] = []
        self.not_found = not_found

    def __str__(self) -> str:
        return self.message

    def as_result(self) -> dict[str, Any]:
        """Return the failure as the members of a failed result."""
        result = dict(self.facts, msg=self.message, changed=bool(self.changed))
        if self.hint:
            result["hint"] = self.hint
        return result


class InputError(AemError):
    """An option is missing or wrong; no request was sent."""


class WaitError(AemError):
    """The wanted state was not reached in time, or cannot be reached any more."""


class TransportError(AemError):
    """No usable answer came.

    ``sent`` is false only when it is certain that nothing was done: no byte of the request left, or it was turned away.
    ``final`` is true when trying again cannot help (a certificate, a redirect, a wrong address).
    ``pause`` is for how many seconds the server asks to wait before the next attempt.
    ``is_too_long`` is whether there was an answer, but more of it than is taken.
    """

    pause = 0.0
    is_too_long = False

    def __init__(self, message: str, hint: str = "", sent: bool = True, final: bool = False, **facts: Any) -> None:
        super().__init__(message, hint, **facts)
        self.sent = sent
        self.final = final


class ApiError(AemError):
    """The server answered that the method failed."""

    def __init__(self, message: str, hint: str, error_code: str, **facts: Any) -> None:
        super().__init__(message, hint, error_code=error_code or None, **facts)
        self.error_code = error_code

    @property
    def is_refusal(self) -> bool:
        """Whether the user may not do this, with 401 or 403 (docs/enterprise_manager_api.md, 3.5)."""
        return self.error_code == UNAUTHORIZED_REQUEST or (
            not self.error_code and self.facts["http_status"] in (401, 403)
        )


class Interrupted(AemError):
    """The run was asked to end; nothing more was sent but the logout."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "The server carries on with what was sent. Run this again to continue.")


class LoginRefused(AemError):
    """The server refused to log the user in; never to be tried again, or the account gets locked."""


class TooLong(ValueError):
    """An answer has more bytes than are taken; the caller gets a TransportError."""


def sentence(text: str) -> str:
    """Return a text that ends in somebody else's words with one full stop at its end."""
    return text if text.rstrip().endswith((".", "!", "?")) else f"{text}."
