"""Counting over time: rows grouped by the hour, and reading queries that do not hold the event loop."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, String, cast, func
from sqlalchemy.orm import InstrumentedAttribute

from webapp.database.engine import LONG_READ
from webapp.extensions import db

HOUR: Final = 13  # characters of `2026-11-24 16`, which both databases write
TEN_MINUTES: Final = 15  # for zones that are not whole hours away from UTC


def bucket(column: InstrumentedAttribute[dt.datetime], width: int = HOUR) -> ColumnElement[str]:
    """Return the expression for the hour, or the ten minutes, of a moment in UTC."""
    return func.substr(cast(column, String(26)), 1, width)


def moment_of(name: str) -> dt.datetime:
    """Return the moment at which a bucket begins."""
    text = f"{name}0" if len(name) == TEN_MINUTES else f"{name}:00"
    return dt.datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=dt.UTC)


def rows(query: Any) -> Sequence[Any]:
    """Run a select that reads many rows."""
    return db.session.execute(query, execution_options={LONG_READ: True}).all()
