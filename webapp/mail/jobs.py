"""Recurring work of mail; harmless when several processes do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.mail import outbox

JOBS: Final[list[tuple[str, Callable[[], object], int]]] = [
    ("deliver_mail", outbox.deliver_due, 5),
    ("expire_mail", outbox.expire, 60),
]
