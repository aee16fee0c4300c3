"""Recurring work of chats; harmless when several processes do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.chat import service
from webapp.chat.live.runtime import runtime

JOBS: Final[list[tuple[str, Callable[[], object], int]]] = [
    ("purge_deleted_conversations", service.purge_deleted, 3600),
    ("recover_answers", lambda: runtime().recover(), 60),
    ("purge_answers_for_programs", service.purge_expired, 600),
]
