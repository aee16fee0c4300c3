"""Recurring work of identity; harmless when several processes do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.identity import codes, sessions

JOBS: Final[list[tuple[str, Callable[[], object], int]]] = [
    ("purge_codes", codes.purge, 600),
    ("purge_sessions", sessions.purge, 3600),
]
