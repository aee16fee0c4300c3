"""The geometry of charts: numbers in, coordinates out. Words, colours and numbers that are read stay in HTML around it.

Lines and bars are drawn into a box of `WIDTH` by `HEIGHT` units that the page stretches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 600
HEIGHT: Final = 160
INTERVALS: Final = 4  # five gridlines
HEAT_LEVELS: Final = 5  # beside none at all
SPARK_WIDTH: Final = 84
SPARK_HEIGHT: Final = 30
_STEPS: Final = (1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10)
_BAR_SHARE: Final = 0.62  # of a column that its bar takes


@dataclass(frozen=True, slots=True)
class Line:
    """A line, the area under it, and the values that stand alone between gaps; all are paths."""

    path: str
    area: str
    dots: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a stacked bar; `part` is its place in the stack, from below."""

    part: int
    x: float
    y: float
    width: float
    height: float


def scale(highest: float) -> list[float]:
    """Return the values of the gridlines from 0 up, with round steps, the last one at or above the highest value."""
    if highest <= 0:
        return [float(each) for each in range(INTERVALS + 1)]
    rough = highest / INTERVALS
    power = 10 ** math.floor(math.log10(rough))
    step = next(each * power for each in _STEPS if each * power >= rough * (1 - 1e-9))
    return [round(step * each, 10) for each in range(INTERVALS + 1)]


def whole_scale(highest: int) -> list[float]:
    """Return gridlines for things that are counted: whole numbers."""
    values = scale(max(highest, INTERVALS))
    step = math.ceil(values[1])
    return [float(step * each) for each in range(INTERVALS + 1)]


def line(values: Sequence[float | None], top: float, width: int = WIDTH, height: int = HEIGHT) -> Line:
    """Return the line through the values, broken where there is none."""
    paths: list[str] = []
    areas: list[str] = []
    dots: list[str] = []
    for run in _runs(values, top, width, height):
        points = " L".join(f"{x} {y}" for x, y in run)
        if len(run) == 1:
            dots.append(f"M{points} h.1")  # drawn with a thick round end
            continue
        paths.append(f"M{points}")
        areas.append(f"M{run[0][0]} {height} L{points} L{run[-1][0]} {height}Z")
    return Line(" ".join(paths), " ".join(areas), " ".join(dots))


def spark(values: Sequence[float | None]) -> str:
    """Return the path of a small line without axes; empty where there is nothing to draw."""
    known = [each for each in values if each is not None]
    if len(known) < 2 or not any(known):
        return ""
    return line(values, max(known), SPARK_WIDTH, SPARK_HEIGHT).path


def stacks(columns: Sequence[Sequence[float]], top: float) -> list[Bar]:
    """Return the bars of columns of parts, the first part at the bottom."""
    bars: list[Bar] = []
    slot = WIDTH / max(1, len(columns))
    for place, parts in enumerate(columns):
        floor = float(HEIGHT)
        for part, value in enumerate(parts):
            height = HEIGHT * value / top if top else 0.0
            if height > 0:
                height = max(height, 0.75)  # trouble is seen however small its share
                floor -= height
                left = slot * place + slot * (1 - _BAR_SHARE) / 2
                bars.append(Bar(part, _short(left), _short(floor), _short(slot * _BAR_SHARE), _short(height)))
    return bars


def heat(cells: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the level of each cell: 0 for none, 1 to 5 by its share of the highest."""
    most = max((value for row in cells for value in row), default=0)
    return [[math.ceil(HEAT_LEVELS * value / most) if value else 0 for value in row] for row in cells]


def quantile(histogram: dict[int, int], share: float, width: float) -> float | None:
    """Return the value below which that share of counted things lies; `histogram` counts by bins of that width."""
    total = sum(histogram.values())
    if not total:
        return None
    wanted, seen = share * total, 0
    for place in sorted(histogram):
        count = histogram[place]
        if seen + count >= wanted:
            return (place + (wanted - seen) / count) * width
        seen += count
    return None


def _runs(
    values: Sequence[float | None], top: float, width: int, height: int
) -> list[list[tuple[float, float]]]:
    """Return the points of each stretch of values without a gap."""
    step = width / max(1, len(values) - 1)
    runs: list[list[tuple[float, float]]] = []
    whole = True
    for place, value in enumerate(values):
        if value is None:
            whole = True
            continue
        if whole:
            runs.append([])
            whole = False
        share = value / top if top else 0.0
        runs[-1].append((_short(step * place), _short(height * (1 - min(1.0, share)))))
    return runs


def _short(value: float) -> float:
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded
