"""The strip of key figures: value, small line, and how it changed against the period before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _

from webapp.dashboard.snapshots import Snapshot
from webapp.lib import charts
from webapp.llm.rules import WAIT_BIN_MS
from webapp.web.filters import money


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; `good` says by meaning, not by sign, whether its change is welcome; `colour` is of the small line."""

    label: str
    value: str
    unit: str = ""
    change: str = ""
    note: str = ""
    good: bool | None = None
    spark: str = ""
    colour: str = "s-1"


def key_figures(taken: Snapshot) -> list[Figure]:
    """Return the four figures."""
    return [_active(taken), _answers(taken), _first_word(taken), _cost(taken)]


def _active(taken: Snapshot) -> Figure:
    return Figure(
        _("Active users"),
        format_decimal(taken.active),
        spark=charts.spark(taken.active_by_piece),
        **_change(taken, taken.active, taken.active_before),
    )


def _answers(taken: Snapshot) -> Figure:
    start = taken.period.start
    now = sum(took.answers for hour, (_ending, took) in taken.answers if hour >= start)
    complete = sum(t.answers for hour, (ending, t) in taken.answers if hour >= start and ending == "complete")
    before = sum(took.answers for hour, (_ending, took) in taken.answers if hour < start)
    by_piece = [sum(took.answers for _ending, took in each) for each in taken.period.spread(taken.answers)]
    change = _change(taken, now, before)
    if now:
        change["note"] = _("%(percent)s%% complete", percent=format_decimal(100 * complete / now, "0.0"))
    return Figure(_("Answers"), format_decimal(now), spark=charts.spark(by_piece), **change)


def _first_word(taken: Snapshot) -> Figure:
    start, width = taken.period.start, WAIT_BIN_MS / 1000
    now: Counter[int] = Counter()
    before: Counter[int] = Counter()
    for hour, (place, count) in taken.waits:
        (now if hour >= start else before)[place] += count
    value, earlier = charts.quantile(now, 0.95, width), charts.quantile(before, 0.95, width)
    pieces: list[float | None] = []
    for found in taken.period.spread(taken.waits):
        bins: Counter[int] = Counter()
        for place, count in found:
            bins[place] += count
        pieces.append(charts.quantile(bins, 0.95, width))
    label, spark = _("First word, p95"), charts.spark(pieces)
    if value is None:
        return Figure(label, "–", note=_("no answers yet"))
    if earlier is None:
        return Figure(label, format_decimal(value, "0.00"), _("s"), spark=spark, colour="s-2")
    apart = round(value - earlier, 2)
    change = format_decimal(apart, "+0.00;-0.00") + f" {_('s')}" if apart else ""
    note = taken.period.on_the_one_before if apart else _("as before")
    good = apart < 0 if apart else None
    return Figure(label, format_decimal(value, "0.00"), _("s"), change, note, good, spark, "s-2")


def _cost(taken: Snapshot) -> Figure:
    start = taken.period.start
    current = [took for hour, (_ending, took) in taken.answers if hour >= start]
    micros, priced = sum(took.cost_micros for took in current), sum(took.priced for took in current)
    by_piece = [sum(took.cost_micros for _e, took in each) for each in taken.period.spread(taken.answers)]
    if not priced:
        tokens = sum(took.tokens for took in current)
        earlier = sum(took.tokens for hour, (_ending, took) in taken.answers if hour < start)
        spark = charts.spark(
            [sum(took.tokens for _e, took in each) for each in taken.period.spread(taken.answers)]
        )
        return Figure(
            _("Tokens"), format_decimal(tokens), spark=spark, **_change(taken, tokens, earlier, neutral=True)
        )
    answers = sum(took.answers for took in current)
    note = (
        _("all answers priced")
        if priced == answers
        else _("%(count)s answers without a price", count=answers - priced)
    )
    return Figure(_("Cost"), money(micros), note=note, spark=charts.spark(by_piece))


def _change(taken: Snapshot, now: int, before: int, *, neutral: bool = False) -> dict[str, Any]:
    if not before:
        return {"note": "" if now else _("nothing yet"), "change": "", "good": None}
    percent = 100 * (now - before) / before
    change = format_decimal(percent, "+0.0;-0.0") + "%"
    good = None if neutral or now == before else now > before
    return {"change": change, "note": taken.period.on_the_one_before, "good": good}
