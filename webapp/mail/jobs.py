"""Recurring work of mail; harmless when several processes do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.mail import delivery

JOBS: Final[list[tuple[str, Callable[[], object], int]]] = [
    ("deliver_mail", delivery.deliver_due, 5),
    ("expire_mail", delivery.expire, 60),
]
