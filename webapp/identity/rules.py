"""Limits and words of identity: passwords, codes, sessions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
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
SESSIONS_SHOWN: Final = 100
SESSIONS_TOPIC: Final = "sessions"  # hints to other processes: somebody was signed out
FRESH: Final = dt.timedelta(
    minutes=10
)  # so long after the password was typed, dangerous acts need it not again

SIGN_INS_KEPT: Final = dt.timedelta(days=90)
SIGN_INS_OF_NOBODY_KEPT: Final = dt.timedelta(days=7)
SIGN_INS_KEPT_EACH: Final = 500
SIGN_INS_SHOWN: Final = 20

DEVICE_LIFE: Final = dt.timedelta(days=400)  # browsers keep no cookie for longer

TOTP_STEP_SECONDS: Final = 30  # RFC 6238
TOTP_DRIFT_STEPS: Final = 1
RECOVERY_CODES: Final = 10
RECOVERY_CODE_LENGTH: Final = 16  # of 32 signs each: 80 bits
SECOND_STEP_LIFE: Final = dt.timedelta(minutes=10)

TOKEN_PREFIX: Final = "at_"  # noqa: S105
LOGIN_TOKEN_PREFIX: Final = "at_login_"  # noqa: S105 - of a session that a program began
TOKEN_BYTES: Final = 32
TOKEN_NAME_LENGTH: Final = 60
TOKEN_NETWORKS: Final = 20
TOKEN_DAYS: Final = (30, 90, 180, 365)
TOKEN_DAYS_DEFAULT: Final = 90
TOKENS_EACH: Final = 20
TOKENS_A_DAY: Final = 20
TOKEN_TOUCH: Final = dt.timedelta(minutes=1)
TOKENS_KEPT: Final = dt.timedelta(days=90)  # after their end

RESET_LINK_LIFE: Final = dt.timedelta(hours=24)
INVITATION_LIFE: Final = dt.timedelta(days=7)
DISOWN_LINK_LIFE: Final = dt.timedelta(days=7)
LINKS_KEPT: Final = dt.timedelta(days=30)


class Realm(StrEnum):
    """Who a session belongs to; one realm's session is never valid in the other."""

    USER = "user"
    ADMIN = "admin"


class Purpose(StrEnum):
    """What an e-mailed code is for; it works for nothing else."""

    REGISTER = "register"
    RESET_PASSWORD = "reset_password"  # noqa: S105
    CHANGE_EMAIL = "change_email"


class LinkPurpose(StrEnum):
    """What a one-time link or a short-lived token between two pages is for; it works for nothing else."""

    SECOND_STEP = "second_step"
    KEEP_ACCOUNT = "keep_account"
    RESET_PASSWORD = "reset_password"  # noqa: S105
    INVITATION = "invitation"
    DISOWN_SIGN_IN = "disown_sign_in"
    OBJECT_TO_ADDRESS = "object_to_address"


class Outcome(StrEnum):
    """What came of an attempt to sign in."""

    OK = "ok"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105
    WRONG_CODE = "wrong_code"
    NOT_ALLOWED = "not_allowed"  # the password was right; the account may not be used


class Scope(StrEnum):
    """What an API token may be used for; account security is never among it."""

    CHAT = "chat"
    MODELS = "models"
    PROFILE_READ = "profile:read"
    PROFILE_CHANGE = "profile:change"


class ThrottleKind(StrEnum):
    """What is counted: tries on one account, from one known device of it, from one address, of one code."""

    ACCOUNT = "account"
    DEVICE = "device"
    ADDRESS = "address"
    SECOND_STEP = "second_step"
    CONFIRMATION = "confirmation"


@dataclass(frozen=True, slots=True)
class ThrottlePolicy:
    """So many tries are free; each one after that makes the wait twice as long, up to the longest."""

    free: int
    first_wait: dt.timedelta
    longest_wait: dt.timedelta

    def wait_after(self, failures: int) -> dt.timedelta | None:
        """Return how long to wait after so many failures in a row."""
        if failures < self.free:
            return None
        doubled: int = 2 ** min(failures - self.free, 20)
        return min(self.first_wait * doubled, self.longest_wait)


_HALF_A_MINUTE: Final = dt.timedelta(seconds=30)
THROTTLES: Final = {
    ThrottleKind.ACCOUNT: ThrottlePolicy(5, _HALF_A_MINUTE, dt.timedelta(minutes=15)),
    ThrottleKind.DEVICE: ThrottlePolicy(10, _HALF_A_MINUTE, dt.timedelta(minutes=15)),
    ThrottleKind.ADDRESS: ThrottlePolicy(30, _HALF_A_MINUTE, dt.timedelta(hours=1)),
    ThrottleKind.SECOND_STEP: ThrottlePolicy(5, _HALF_A_MINUTE, dt.timedelta(minutes=15)),
    ThrottleKind.CONFIRMATION: ThrottlePolicy(5, _HALF_A_MINUTE, dt.timedelta(minutes=15)),
}
FAILURES_FORGOTTEN: Final = dt.timedelta(hours=24)
