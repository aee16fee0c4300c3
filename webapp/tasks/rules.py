"""States, policies and limits of tasks and their runs."""

from __future__ import annotations

import datetime as dt
import re
from enum import StrEnum
from typing import Final

NAME_LENGTH: Final = 120
FUNCTION_LENGTH: Final = 80
CRON_LENGTH: Final = 120
REASON_LENGTH: Final = 300
PROGRESS_LENGTH: Final = 200
TRACE_LENGTH: Final = 20_000
RESULT_LENGTH: Final = 20_000
LINE_LENGTH: Final = 2_000

LEASE_SECONDS: Final = 30  # renewed six times as often
TICK_SECONDS: Final = 1.0
WAITING_AT_ONCE: Final = 100  # runs of one process that do nothing but wait
CLAIM_AT_ONCE: Final = 200  # due tasks one transaction takes
SLOTS_KEPT_UP: Final = 1_000  # missed slots that the policy `all` makes up for at one time
QUEUE_PATIENCE: Final = dt.timedelta(days=1)  # a queued run nobody could start for so long is given up
RESEND_AFTER: Final = dt.timedelta(seconds=30)  # a message nobody took, though the broker's queue is empty
MIN_INTERVAL_SECONDS: Final = 1
MAX_TIMEOUT_SECONDS: Final = 24 * 3600
MAX_RETRIES: Final = 20
MAX_BACKOFF_SECONDS: Final = 3600
MAX_GRACE_SECONDS: Final = 7 * 24 * 3600
MAX_INTERVAL_SECONDS: Final = 366 * 24 * 3600
MAX_DISABLE_AFTER: Final = 1000
MAX_ADDRESSES: Final = 10  # of one task, that are told of its failures
ADDRESSES_LENGTH: Final = 1000
ADDRESS: Final = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")
TASKS_PER_PAGE: Final = 50
RUNS_PER_PAGE: Final = 50
BULK_LIMIT: Final = 100
LINES_AT_ONCE: Final = 500  # of a log, read at one time
SPARK_RUNS: Final = 14
LATE_SECONDS: Final = 60  # an active task due for so long means that no process does the scheduled work


class TaskState(StrEnum):
    """Whether a task comes due."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"  # after too many failures in a row
    FINISHED = "finished"  # a one-off whose slot has come, or a schedule without a next time


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    LOST = "lost"  # its process died or lost its lease
    CANCELLED = "cancelled"
    SKIPPED = "skipped"

    @property
    def final(self) -> bool:
        """Whether nothing follows."""
        return self not in {RunState.QUEUED, RunState.RUNNING}

    @property
    def bad(self) -> bool:
        """Whether somebody should look."""
        return self in {RunState.FAILED, RunState.TIMED_OUT, RunState.LOST}


class Trigger(StrEnum):
    """Why there is a run."""

    SCHEDULE = "schedule"
    MANUAL = "manual"


class Misfire(StrEnum):
    """What becomes of slots that nobody was there for."""

    SKIP = "skip"
    ONCE = "once"
    ALL = "all"


class Overlap(StrEnum):
    """What becomes of a slot that comes while the run before is still at work."""

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"


class Notify(StrEnum):
    """Who is told of failures."""

    DIGEST = ""  # those whom the setting names, in a collected mail
    NOBODY = "nobody"
    OTHERS = "others"  # the task's own addresses, in a collected mail
