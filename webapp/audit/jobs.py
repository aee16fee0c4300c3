"""Recurring work of the audit log; harmless when several processes do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.audit import retention, sealing

JOBS: Final[list[tuple[str, Callable[[], object], int]]] = [
    ("seal_audit", sealing.seal_new, 5),
    ("prune_audit", retention.prune, 3600),
]
