"""Limits and words of announcements."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

TEXT_MAX_LENGTH: Final = 2_000  # of each language
SHOWN_AT_ONCE: Final = 3
KEPT_SECONDS: Final = 15.0  # so long a process may still show what was changed elsewhere
PER_PAGE: Final = 30


class Audience(StrEnum):
    """Who sees an announcement."""

    EVERYBODY = "everybody"  # those who are signed out, too
    USERS = "users"
    ADMINS = "admins"


class Level(StrEnum):
    """How loudly it speaks."""

    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"


class Stage(StrEnum):
    """Where an announcement stands in time."""

    PLANNED = "planned"
    SHOWN = "shown"
    PAST = "past"
