"""The time, in one place, so that tests can move it."""

from __future__ import annotations

import datetime as dt
import time


def utc_now() -> dt.datetime:
    """Return the current time, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def monotonic() -> float:
    """Return seconds on a clock that never steps; for intervals and time-outs."""
    return time.monotonic()
