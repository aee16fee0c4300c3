"""Recurring work of the kit; harmless when several processes do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.web import logs
from webapp.web.api import idempotency

JOBS: Final[list[tuple[str, Callable[[], object], int]]] = [
    ("purge_idempotency_keys", idempotency.purge, 3600),
    ("clear_logs", logs.clear_old_files, 24 * 3600),
]
