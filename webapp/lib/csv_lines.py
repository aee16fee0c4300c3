"""Lines of CSV that are safe to open in a spreadsheet (RFC 4180, requirement Q1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

BYTE_ORDER_MARK: Final = "\ufeff"  # without it Excel reads UTF-8 as the machine's old code page
# A cell that begins with one of these could be run as a formula (OWASP, "CSV Injection").
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "\0")


def csv_line(cells: Iterable[object]) -> str:
    """Return the cells as one line; None is empty, and what could be a formula is made a text by an apostrophe."""
    return ",".join(_cell(each) for each in cells) + "\r\n"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if text.startswith(_FORMULA_SIGNS) and not isinstance(value, int | float):
        text = "'" + text
    if any(sign in text for sign in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
