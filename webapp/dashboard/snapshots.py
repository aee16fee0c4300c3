"""What the overview shows, counted now and then by each process, however many look at it."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass
from typing import Final, cast

from flask import Flask, current_app

from webapp.accounts import figures as people
from webapp.dashboard.ledgers import Ledger
from webapp.dashboard.periods import DAY, MONTH, WEEK, Period
from webapp.lib import clock
from webapp.llm.figures import Sum

SECONDS: Final = {DAY: 30.0, WEEK: 120.0, MONTH: 600.0}  # so old the figures of a period may be
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
        self._ledgers: dict[int, Ledger] = {}
        self._taken: dict[tuple[object, ...], tuple[float, Snapshot]] = {}

    def get(self, period: Period, *, anew: bool) -> Snapshot:
        """Return figures that are not old, or, if asked for anew, fresh ones."""
        key = (period.name, period.starts)
        with self._lock:
            self._taken = {
                each: kept
                for each, kept in self._taken.items()
                if _age(kept[0]) < SECONDS[kept[1].period.name]
            }
            found = self._taken.get(key)
            ledger = self._ledgers.setdefault(period.width, Ledger(period.width))
            if found is None or (anew and _age(found[0]) > SHORTEST_SECONDS):
                found = self._taken[key] = (clock.monotonic(), take(period, ledger))
            return found[1]


def init_app(app: Flask) -> None:
    """Give the application its snapshots."""
    app.extensions[_EXTENSION] = Snapshots()


def snapshot(period: Period, *, anew: bool = False) -> Snapshot:
    """Return the figures of a period."""
    return cast(Snapshots, current_app.extensions[_EXTENSION]).get(period, anew=anew)


def take(period: Period, ledger: Ledger) -> Snapshot:
    """Count."""
    since, width, now = period.before, period.width, period.now
    week = min(period.start, now - dt.timedelta(days=HEAT_DAYS))
    answers, waits = ledger.read(min(since, week), now)
    return Snapshot(
        taken_at=clock.utc_now(),
        period=period,
        answers=[row for row in answers if row[0] >= since],
        waits=[row for row in waits if row[0] >= since],
        writing=[(hour, took.answers) for hour, (_ending, took) in answers if hour >= week],
        active=ledger.people(period.start, now, now),
        active_before=ledger.people(since, period.start, now),
        active_by_piece=[ledger.people(start, end, now) for start, end in period.bounds],
        new_users=people.new_users(since, width),
        sign_ins=people.sign_ins(since, width),
    )


def _age(taken_at: float) -> float:
    return clock.monotonic() - taken_at
