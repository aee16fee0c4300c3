"""The usage ledger by the hour, added up once: what is over is kept in memory, and only what is new is read.

Entries of the ledger are never changed, so an hour that is over stays as it was counted. A process that has just
started reads the whole stretch once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from webapp.llm import figures
from webapp.llm.figures import Sum

HOUR: Final = dt.timedelta(hours=1)
SETTLED: Final = dt.timedelta(minutes=2)  # so late an entry may still be committed
LONGEST: Final = dt.timedelta(days=62)
PIECE: Final = dt.timedelta(days=5)

Answers = list[tuple[dt.datetime, tuple[str, Sum]]]
Waits = list[tuple[dt.datetime, tuple[int, int]]]


class Ledger:
    """What was counted so far, from one hour up to another."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._since: dt.datetime | None = None
        self._until = dt.datetime.min.replace(tzinfo=dt.UTC)
        self._answers: Answers = []
        self._waits: Waits = []
        self._people: dict[tuple[dt.datetime, dt.datetime], int] = {}

    def read(self, since: dt.datetime, now: dt.datetime) -> tuple[Answers, Waits]:
        """Return answers and waits since the hour of a moment; one caller at a time."""
        since = _hour(since)
        if self._since is None or since < self._since:
            self._since, self._until, self._answers, self._waits = since, since, [], []
        answers: Answers = []
        waits: Waits = []
        for start, end in _pieces(self._until, now + SETTLED):
            answers += [(hour, (how, sums)) for hour, how, sums in figures.by_hour(start, end, self._width)]
            waits += [(hour, (place, count)) for hour, place, count in figures.waits(start, end, self._width)]
        found = [*self._answers, *answers], [*self._waits, *waits]
        self._keep(*found, now)
        return [row for row in found[0] if row[0] >= since], [row for row in found[1] if row[0] >= since]

    def people(self, start: dt.datetime, end: dt.datetime, now: dt.datetime) -> int:
        """Return how many users had an answer in a stretch of time; counted once where it is over."""
        known = self._people.get((start, end))
        if known is None:
            known = figures.people(start, end)
            if end < now - SETTLED:
                self._people[start, end] = known
        return known

    def _keep(self, answers: Answers, waits: Waits, now: dt.datetime) -> None:
        self._until = max(self._until, _hour(now - SETTLED))
        oldest = now - LONGEST
        self._since = max(self._since or oldest, _hour(oldest))
        self._answers = [row for row in answers if self._since <= row[0] < self._until]
        self._waits = [row for row in waits if self._since <= row[0] < self._until]
        self._people = {each: count for each, count in self._people.items() if each[0] >= oldest}


def _pieces(start: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Yield the stretch in pieces of a few whole days, so that no query of a large ledger runs for long."""
    while start < end:
        following = min((start + PIECE).replace(hour=0), end)
        yield start, following
        start = following


def _hour(moment: dt.datetime) -> dt.datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
