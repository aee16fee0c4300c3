"""The device cookie: a random token by which a browser that signed in before is known again.

It signs nobody in. It tells a new device from a known one, and lets a known one past the limits that others' failed
tries have reached.
"""

from __future__ import annotations

from typing import Final

from flask import request
from werkzeug import Response

from webapp.config import current_settings

SECONDS: Final = 400 * 24 * 3600  # browsers keep no cookie for longer
_LONGEST: Final = 64


def read() -> str:
    """Return the token of the browser at hand, empty where it has none."""
    return request.cookies.get(_name(), "")[:_LONGEST]


def write(response: Response, token: str) -> Response:
    """Give the browser its token, and return the response."""
    secure = current_settings().https
    response.set_cookie(
        _name(), token, max_age=SECONDS, secure=secure, httponly=True, samesite="Lax", path="/"
    )
    return response


def _name() -> str:
    return "__Host-device" if current_settings().https else "device"
