"""Bars of the last runs: how high, in which colour, and the sentence that says the same."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.tasks.listing import RecentRun
from webapp.tasks.rules import SPARK_RUNS, RunState
from webapp.tasks.words import took_in_words

HEIGHT = 10.0
LEAST = 1.0  # a bar that is there can be seen
SLOW = 2.0  # so many times the median counts as slow


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, in a picture ten high."""

    x: str
    y: str
    height: str
    fill: str
    run: RecentRun


@dataclass(frozen=True, slots=True)
class Bars:
    """A small chart of runs."""

    bars: list[Bar]
    count: int
    median: str
    sentence: str


def bars(runs: Sequence[RecentRun]) -> Bars:
    """Return the chart of some runs, the oldest first."""
    known = [run.seconds for run in runs if run.seconds is not None and run.state.final]
    median = statistics.median(known) if known else None
    longest = max((run.seconds or 0 for run in runs), default=0) or 1
    offset = SPARK_RUNS - len(runs)
    made = []
    for number, run in enumerate(runs):
        height = max(LEAST, HEIGHT * (run.seconds or 0) / longest)
        made.append(
            Bar(
                f"{offset + number + 0.14:.2f}",
                f"{HEIGHT - height:.2f}",
                f"{height:.2f}",
                _fill(run, median),
                run,
            )
        )
    return Bars(made, SPARK_RUNS, took_in_words(median), _sentence(runs))


def _fill(run: RecentRun, median: float | None) -> str:
    if run.state.bad:
        return "f-5"
    if not run.state.final:
        return "f-1"
    if run.state in {RunState.CANCELLED, RunState.SKIPPED}:
        return "f-6"
    slow = median is not None and run.seconds is not None and run.seconds > max(1.0, median * SLOW)
    return "f-2" if slow else "f-0"


def _sentence(runs: Sequence[RecentRun]) -> str:
    if not runs:
        return str(_("No runs yet"))
    bad = sum(run.state.bad for run in runs)
    whole = ngettext("%(num)s run", "%(num)s runs", len(runs))
    return str(_("%(runs)s: %(bad)s failed", runs=whole, bad=bad))
