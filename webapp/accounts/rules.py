"""Limits and patterns of accounts, written once for forms, services and columns."""

from __future__ import annotations

import datetime as dt
import re
from enum import StrEnum
from typing import Final

USERNAME_MIN_LENGTH: Final = 3
USERNAME_MAX_LENGTH: Final = 32
USERNAME_PATTERN: Final = re.compile(r"[\w][\w.\-]*", re.UNICODE)
DISPLAY_NAME_MAX_LENGTH: Final = 60
LOGIN_MAX_LENGTH: Final = 254

AVATAR_MAX_BYTES: Final = 2_097_152
AVATAR_MAX_PIXELS: Final = 25_000_000
AVATAR_MAX_FRAMES: Final = 100
AVATAR_SIZE: Final = 256  # pixels a side of what is kept

NEVER: Final = dt.datetime(
    1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC
)  # when somebody was seen who never was; sorts last
SEEN_SECONDS: Final = 300  # so exactly it is known when somebody was seen


DELETION_GRACE: Final = dt.timedelta(days=7)


class UserState(StrEnum):
    """Whether an account may be used."""

    ACTIVE = "active"
    SUSPENDED = "suspended"  # by an administrator
    INVITED = "invited"  # has no password yet
    DELETING = "deleting"  # its owner asked for it; can be taken back until `deletion_due_at`
