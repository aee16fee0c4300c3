"""The overview's figures and charts: geometry, words around it, the sentence for who cannot see it, and the table."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from babel.dates import get_day_names
from flask_babel import format_decimal, get_locale, get_timezone
from flask_babel import gettext as _

from webapp.dashboard.periods import Period
from webapp.dashboard.snapshots import Snapshot
from webapp.lib import charts
from webapp.llm.rules import WAIT_BIN_MS

COMPLETE, STOPPED, INTERRUPTED, FAILED = range(4)
_PART_OF: Final = {"interrupted": INTERRUPTED, "failed": FAILED, "complete": COMPLETE}
_LABELS_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Plot:
    """One chart. `labels` stand below it, `scale` beside it from the top down, `legend` is (class, words)."""

    title: str
    sentence: str
    scale: list[str]
    labels: list[str]
    legend: list[tuple[str, str]]
    head: list[str]
    rows: list[list[str]]
    lines: list[tuple[str, charts.Line]] = field(default_factory=list)
    bars: list[tuple[str, charts.Bar]] = field(default_factory=list)
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Heat:
    """When people write: levels and counts by weekday and hour, with the names of the days."""

    sentence: str
    days: list[str]
    levels: list[list[int]]
    counts: list[list[int]]

    @property
    def table(self) -> list[list[str]]:
        """The counts with a row for each hour."""
        return [[f"{hour}:00", *(_number(day[hour]) for day in self.counts)] for hour in range(24)]


def first_word(taken: Snapshot) -> Plot:
    """Return how long people wait for the first word: median and 95th percentile."""
    period, title = taken.period, _("First word")
    pieces = [_histogram(each) for each in period.spread(taken.waits)]
    half = [charts.quantile(each, 0.5, WAIT_BIN_MS / 1000) for each in pieces]
    most = [charts.quantile(each, 0.95, WAIT_BIN_MS / 1000) for each in pieces]
    marks = charts.scale(max((each for each in most if each is not None), default=0.0))
    names, top = [_("median"), _("p95")], marks[-1]
    known = [each for each in half if each is not None]
    sentence = (
        _("Seconds until the first word: median %(least)s to %(most)s, 95th percentile up to %(p95)s.",
          least=_decimal(min(known)), most=_decimal(max(known)), p95=_decimal(max(each or 0 for each in most)))
        if known
        else _("No answer began in this time.")
    )  # fmt: skip
    return Plot(
        title,
        sentence,
        [_("%(number)s s", number=_decimal(marks[-1])), *(_decimal(mark) for mark in marks[-2::-1])],
        _few(period.labels()),
        [("f-1", names[0]), ("f-2", names[1])],
        [_("From"), _("median, s"), _("p95, s")],
        _rows(period, [[_seconds(low), _seconds(high)] for low, high in zip(half, most, strict=True)]),
        lines=[("s-1", charts.line(half, top)), ("s-2", charts.line(most, top))],
        empty=not known,
    )


def by_ending(taken: Snapshot) -> Plot:
    """Return how answers ended, stacked."""
    period = taken.period
    columns = [[0, 0, 0, 0] for _start in period.starts]
    for column, found in zip(columns, period.spread(taken.answers), strict=True):
        for ending, took in found:
            column[_PART_OF.get(ending, STOPPED)] += took.answers
    marks = charts.whole_scale(max(map(sum, columns)))
    names = [_("complete"), _("stopped"), _("interrupted"), _("failed")]
    classes = ["f-0", "f-6", "f-2", "f-5"]
    totals = [sum(column[part] for column in columns) for part in range(4)]
    sentence = _(
        "%(all)s answers: %(complete)s complete, %(stopped)s stopped, %(interrupted)s interrupted, %(failed)s failed.",
        all=_number(sum(totals)),
        complete=_number(totals[COMPLETE]),
        stopped=_number(totals[STOPPED]),
        interrupted=_number(totals[INTERRUPTED]),
        failed=_number(totals[FAILED]),
    )
    return Plot(
        _("Answers by ending"),
        sentence,
        [_short(mark) for mark in reversed(marks)],
        _spaced(period.labels()),
        list(zip(classes, names, strict=True)),
        [_("From"), *names],
        _rows(period, [[_number(part) for part in column] for column in columns]),
        bars=[(classes[bar.part], bar) for bar in charts.stacks(columns, marks[-1])],
        empty=not sum(totals),
    )


def people(taken: Snapshot) -> Plot:
    """Return sign-ins and new accounts."""
    period = taken.period
    signed_in = [sum(each) for each in period.spread(taken.sign_ins)]
    new = [sum(each) for each in period.spread(taken.new_users)]
    return _two_lines(
        period,
        _("Sign-ins and new users"),
        _("%(count)s sign-ins, %(new)s new users.", count=_number(sum(signed_in)), new=_number(sum(new))),
        (_("sign-ins"), signed_in),
        (_("new users"), new),
    )


def tokens(taken: Snapshot) -> Plot:
    """Return tokens of questions and of answers."""
    pieces = taken.period.spread(taken.answers)
    asked = [sum(took.prompt_tokens for _ending, took in each) for each in pieces]
    written = [sum(took.completion_tokens for _ending, took in each) for each in pieces]
    return _two_lines(
        taken.period,
        _("Tokens"),
        _(
            "%(asked)s tokens read, %(written)s written.",
            asked=_number(sum(asked)),
            written=_number(sum(written)),
        ),
        (_("written"), written),
        (_("read"), asked),
    )


def writing(taken: Snapshot) -> Heat:
    """Return when people write, by weekday and hour in the reader's zone, over a week at least."""
    zone, counts = get_timezone(), [[0] * 24 for _day in range(7)]
    for moment, count in taken.writing:
        there = moment.astimezone(zone)
        counts[there.weekday()][there.hour] += count
    names = get_day_names("abbreviated", locale=get_locale())
    days = [names[day] for day in range(7)]
    most = max(max(row) for row in counts)
    sentence = _("Nobody wrote in this time.")
    if most:
        day, hour = next((day, hour) for day in range(7) for hour in range(24) if counts[day][hour] == most)
        sentence = _(
            "Answers by weekday and hour; most on %(day)s from %(hour)s o'clock.",
            day=get_day_names("wide", locale=get_locale())[day],
            hour=hour,
        )
    return Heat(sentence, days, charts.heat(counts), counts)


def _two_lines(
    period: Period, title: str, sentence: str, first: tuple[str, list[int]], second: tuple[str, list[int]]
) -> Plot:
    values, others = first[1], second[1]
    marks = charts.whole_scale(max([*values, *others]))
    return Plot(
        title,
        sentence,
        [_short(mark) for mark in reversed(marks)],
        _few(period.labels()),
        [("f-1", first[0]), ("f-2", second[0])],
        [_("From"), first[0], second[0]],
        _rows(period, [[_number(one), _number(two)] for one, two in zip(values, others, strict=True)]),
        lines=[("s-1", charts.line(values, marks[-1])), ("s-2", charts.line(others, marks[-1]))],
        empty=not any(values) and not any(others),
    )


def _histogram(counted: Sequence[tuple[int, int]]) -> dict[int, int]:
    bins: Counter[int] = Counter()
    for place, count in counted:
        bins[place] += count
    return bins


def _rows(period: Period, values: list[list[str]]) -> list[list[str]]:
    return [[_when(start), *cells] for start, cells in zip(period.starts, values, strict=True)]


def _when(start: dt.datetime) -> str:
    return f"{start.astimezone(get_timezone()):%Y-%m-%d %H:%M}"


def _few(labels: list[str]) -> list[str]:
    """Return labels for a line: about five, from the first to the last."""
    last = len(labels) - 1
    return [labels[round(last * place / 4)] for place in range(5)] if last > 4 else labels


def _spaced(labels: list[str]) -> list[str]:
    """Return a label for each bar, most of them empty where there are many."""
    step = -(-len(labels) // _LABELS_SHOWN)
    return [label if place % step == 0 else "" for place, label in enumerate(labels)]


def _number(value: float) -> str:
    return str(format_decimal(value))


def _decimal(value: float) -> str:
    return str(format_decimal(value, "0.##"))


def _seconds(value: float | None) -> str:
    return "–" if value is None else _decimal(value)


def _short(value: float) -> str:
    """Return a number of an axis, short."""
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{_decimal(value / size)}{sign}"
    return _decimal(value)
