"""What the overview shows, counted at most twice a minute by each process, whoever looks at it."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass
from typing import Final, cast

from flask import Flask, current_app

from webapp.accounts import figures as people
from webapp.dashboard.periods import Period
from webapp.lib import clock
from webapp.llm import figures as usage
from webapp.llm.figures import Sum

SECONDS: Final = 30.0
SHORTEST_SECONDS: Final = 3.0  # however often somebody asks for new figures
HEAT_DAYS: Final = 7
_EXTENSION: Final = "overview_snapshots"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The figures of one period and of the one before it, by the hour."""

    taken_at: dt.datetime
    period: Period
    answers: list[tuple[dt.datetime, tuple[str, Sum]]]
    waits: list[tuple[dt.datetime, tuple[int, int]]]
    writing: list[tuple[dt.datetime, int]]
    active: int
    active_before: int
    active_by_piece: list[int]
    new_users: list[tuple[dt.datetime, int]]
    sign_ins: list[tuple[dt.datetime, int]]


class Snapshots:
    """The last snapshot of each period; one is taken at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[tuple[object, ...], tuple[float, Snapshot]] = {}

    def get(self, period: Period, *, anew: bool) -> Snapshot:
        """Return figures that are not old, or, if asked for anew, fresh ones."""
        key = (period.name, period.starts)
        with self._lock:
            self._taken = {each: kept for each, kept in self._taken.items() if _age(kept[0]) < SECONDS}
            found = self._taken.get(key)
            if found is None or (anew and _age(found[0]) > SHORTEST_SECONDS):
                found = self._taken[key] = (clock.monotonic(), take(period))
            return found[1]


def init_app(app: Flask) -> None:
    """Give the application its snapshots."""
    app.extensions[_EXTENSION] = Snapshots()


def snapshot(period: Period, *, anew: bool = False) -> Snapshot:
    """Return the figures of a period."""
    return cast(Snapshots, current_app.extensions[_EXTENSION]).get(period, anew=anew)


def take(period: Period) -> Snapshot:
    """Count."""
    since, width = period.before, period.width
    week = min(period.start, period.now - dt.timedelta(days=HEAT_DAYS))
    by_hour = usage.by_hour(min(since, week), width)
    answers = [(hour, (ending, took)) for hour, ending, took in by_hour if hour >= since]
    return Snapshot(
        taken_at=clock.utc_now(),
        period=period,
        answers=answers,
        waits=[(hour, (place, count)) for hour, place, count in usage.waits(since, width)],
        writing=[(hour, took.answers) for hour, _ending, took in by_hour if hour >= week],
        active=usage.people(period.start, period.now),
        active_before=usage.people(period.before, period.start),
        active_by_piece=[usage.people(*bounds) for bounds in period.bounds],
        new_users=people.new_users(since, width),
        sign_ins=people.sign_ins(since, width),
    )


def _age(taken_at: float) -> float:
    return clock.monotonic() - taken_at
