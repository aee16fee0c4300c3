"""Limits and words of identity: passwords, codes, sessions."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Final

PASSWORD_MAX_LENGTH: Final = 256  # bounds what one hash costs; nothing below it is cut or changed
EMAIL_MAX_LENGTH: Final = 254  # RFC 5321, section 4.5.3.1.3
CODE_DIGITS: Final = 6
CODE_LIFE: Final = dt.timedelta(minutes=10)
CODE_TRIES: Final = 5
CODES_A_DAY: Final = 5  # to one address
CODES_AN_HOUR_IN_ALL: Final = 2_000
CODE_RESEND_SECONDS: Final = 60
CODES_KEPT: Final = dt.timedelta(days=2)
SESSION_TOUCH_SECONDS: Final = 60
SESSION_WITHOUT_KEEPING: Final = dt.timedelta(hours=24)
SESSIONS_KEPT: Final = dt.timedelta(days=30)
USER_AGENT_LENGTH: Final = 300


class Realm(StrEnum):
    """Who a session belongs to; one realm's session is never valid in the other."""

    USER = "user"
    ADMIN = "admin"


class Purpose(StrEnum):
    """What an e-mailed code is for; it works for nothing else."""

    REGISTER = "register"
    RESET_PASSWORD = "reset_password"  # noqa: S105
