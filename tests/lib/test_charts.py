"""The geometry of charts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.lib import charts


@pytest.mark.parametrize(
    ("highest", "marks"),
    [
        (1.9, [0, 0.5, 1, 1.5, 2]),
        (4952, [0, 1500, 3000, 4500, 6000]),
        (8, [0, 2, 4, 6, 8]),
        (0, [0, 1, 2, 3, 4]),
    ],
)
def test_scale_is_round_and_reaches_the_highest(highest: float, marks: list[float]) -> None:
    assert charts.scale(highest) == marks


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_scale_holds_every_value_without_much_to_spare(highest: float) -> None:
    marks = charts.scale(highest)
    assert len(marks) == charts.INTERVALS + 1
    assert highest <= marks[-1] * (1 + 1e-6)
    assert marks[-1] <= highest * 2


@given(st.integers(min_value=0, max_value=10**9))
def test_counted_things_have_whole_marks(highest: int) -> None:
    marks = charts.whole_scale(highest)
    assert all(mark == int(mark) for mark in marks)
    assert marks[-1] >= highest


def test_line_ends_at_the_edges_of_the_box() -> None:
    drawn = charts.line([0, 2, 4], 4)
    assert drawn.path == "M0 160 L300 80 L600 0"
    assert drawn.area == "M0 160 L0 160 L300 80 L600 0 L600 160Z"


def test_line_breaks_where_there_is_no_value() -> None:
    drawn = charts.line([1, 1, None, 1, 1], 1)
    assert drawn.path.count("M") == 2


def test_value_alone_between_gaps_is_seen() -> None:
    drawn = charts.line([None, 1, None], 1)
    assert (drawn.path, drawn.area, drawn.dots) == ("", "", "M300 0 h.1")
    assert charts.line([1, 1, None, 1], 1).dots == "M600 0 h.1"


def test_stack_stands_on_the_ground_and_on_itself() -> None:
    low, high = charts.stacks([[30, 10]], 40)
    assert (low.part, low.y + low.height) == (0, charts.HEIGHT)
    assert (high.part, high.y + high.height, high.y) == (1, low.y, 0)


def test_small_trouble_is_still_seen() -> None:
    assert min(bar.height for bar in charts.stacks([[1_000_000, 1]], 1_000_000)) >= 0.5


def test_heat_keeps_none_apart_from_few() -> None:
    assert charts.heat([[0, 1, 50, 100]]) == [[0, 1, 3, 5]]
    assert charts.heat([[0, 0]]) == [[0, 0]]


def test_quantile_of_a_histogram() -> None:
    even = dict.fromkeys(range(100), 1)
    assert charts.quantile(even, 0.5, 10) == pytest.approx(500)
    assert charts.quantile(even, 0.95, 10) == pytest.approx(950)
    assert charts.quantile({}, 0.5, 10) is None


def test_small_line_needs_something_to_draw() -> None:
    assert charts.spark([0, 0, 0]) == charts.spark([5]) == charts.spark([]) == ""
    assert charts.spark([0, 1]) == "M0 30 L84 0"
