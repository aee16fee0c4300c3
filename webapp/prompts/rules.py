"""Limits of scheduled prompts, and what can become of a run."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

FUNCTION: Final = "scheduled_prompt"
NAME_LENGTH: Final = 80
FAILURES_IN_ROW: Final = 5  # after which a schedule pauses
SLOTS_LOOKED_AT: Final = (
    100  # of a cron expression, for two that are too close; more than a day's worth at the limit
)
PREVIEWED: Final = 5
HISTORY_PER_PAGE: Final = 30
ADMIN_PER_PAGE: Final = 50
PATIENCE_SECONDS: Final = 3600  # a run waits so long for its turn
ANSWER_SECONDS: Final = 3600  # beyond what ends each answer by itself
RUN_SECONDS: Final = PATIENCE_SECONDS + ANSWER_SECONDS + 600
MAIL_LENGTH: Final = 20_000  # characters of an answer in a mail
MAIL_TEMPLATE: Final = "scheduled_prompt"


class Destination(StrEnum):
    """Where answers go."""

    EACH = "each"  # a conversation for each run
    ONE = "one"  # one that goes on


class Problem(StrEnum):
    """Why a run has no whole answer; those that begin with `provider_` are the kinds of providers' errors."""

    ACCOUNT = "account"
    MODEL_GONE = "model_gone"
    BUSY = "busy"
    REFUSED = "refused"  # by the chat itself
    EMPTY = "empty"
    LENGTH = "length"
    FILTERED = "filtered"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    LOST = "lost"
    GONE = "gone"
    INTERNAL = "internal"
    AUTH = "provider_auth"
    QUOTA = "provider_quota"
    RATE_LIMITED = "provider_rate_limited"
    TIMEOUT = "provider_timeout"
    STALLED = "provider_stalled"
    UNAVAILABLE = "provider_unavailable"
    REJECTED = "provider_rejected"
    PROTOCOL = "provider_protocol"
    TRUNCATED = "provider_truncated"
