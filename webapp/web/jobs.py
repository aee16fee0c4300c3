"""Recurring work of the kit; harmless when several processes do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.web.api import idempotency

JOBS: Final[list[tuple[str, Callable[[], object], int]]] = [
    ("purge_idempotency_keys", idempotency.purge, 3600),
]
