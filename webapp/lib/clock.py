"""The time, in one place, so that tests can move it."""

from __future__ import annotations

import datetime as dt
import time
from typing import Final

SLACK_SECONDS: Final = 1.0  # differences below that are the clock being kept right, not being set


def utc_now() -> dt.datetime:
    """Return the current time, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def monotonic() -> float:
    """Return seconds on a clock that never steps; for intervals and time-outs."""
    return time.monotonic()


class StepWatch:
    """Tells by how much the clock on the wall was set since it was last asked."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def step(self) -> float:
        """Return seconds, negative when the clock was set back, 0 when it was not set."""
        offset = time.time() - time.monotonic()
        moved, self._offset = offset - self._offset, offset
        return moved if abs(moved) > SLACK_SECONDS else 0.0
