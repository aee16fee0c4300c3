"""Recurring work of identity; harmless when several processes do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.identity import attempts, codes, devices, links, sessions, throttles, tokens

JOBS: Final[list[tuple[str, Callable[[], object], int]]] = [
    ("purge_codes", codes.purge, 600),
    ("purge_sessions", sessions.purge, 3600),
    ("purge_sign_ins", attempts.purge, 3600),
    ("purge_devices", devices.purge, 24 * 3600),
    ("purge_throttles", throttles.purge, 3600),
    ("purge_links", links.purge, 3600),
    ("purge_tokens", tokens.purge, 24 * 3600),
]
