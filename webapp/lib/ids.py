"""Random identifiers."""

from __future__ import annotations

import secrets
from typing import Final

PUBLIC_ID_LENGTH: Final = 22


def public_id() -> str:
    """Return 128 random bits as 22 characters of URL-safe base64."""
    return secrets.token_urlsafe(16)


def request_id() -> str:
    """Return a short random id for one request: 64 bits as 16 hexadecimal digits."""
    return secrets.token_hex(8)
