"""CSV that spreadsheets read as text, and never run (Q1)."""

from __future__ import annotations

import csv
import io

import pytest

from webapp.lib.csv_lines import csv_line


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_formulas_become_text(sign: str) -> None:
    ((cell, other),) = csv.reader(io.StringIO(csv_line([f"{sign}1+1", "plain"]), newline=""))
    assert cell == f"'{sign}1+1"
    assert other == "plain"


@pytest.mark.parametrize("text", ['say "yes"', "a,b", "two\nlines", "two\r\nlines", "", " spaced ", "王伟"])
def test_everything_comes_back_as_it_was(text: str) -> None:
    assert list(csv.reader(io.StringIO(csv_line([text, "end"]), newline=""))) == [[text, "end"]]


def test_numbers_and_nothing() -> None:
    assert csv_line([-3, None, 2.5]) == "-3,,2.5\r\n"
