"""Keyset pages: a list is continued after a row, so the last page costs what the first one costs."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask_babel import gettext as _
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from webapp.errors import Invalid
from webapp.extensions import db

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and the cursor that continues after the last of them, or None at the end."""

    items: Sequence[T]
    next_cursor: str | None


def newest_first(
    query: Select[T],
    moment: InstrumentedAttribute[dt.datetime],
    key: InstrumentedAttribute[int],
    *,
    after: str | None,
    limit: int,
) -> Page[T]:
    """Return the rows that follow the cursor, ordered by moment and then by key, newest first."""
    if after:
        query = query.where(tuple_(moment, key) < tuple_(*decode_cursor(after)))
    rows = db.session.scalars(query.order_by(moment.desc(), key.desc()).limit(limit + 1)).all()
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], encode_cursor(getattr(last, moment.key), getattr(last, key.key)))


def encode_cursor(moment: dt.datetime, key: int) -> str:
    """Return an opaque, URL-safe text for a place in a list."""
    return base64.urlsafe_b64encode(json.dumps([moment.isoformat(), key]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[dt.datetime, int]:
    """Return the place a cursor names; raises Invalid for anything that `encode_cursor` did not make."""
    try:
        parts: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment, key = dt.datetime.fromisoformat(parts[0]), parts[1]
        if type(key) is not int or abs(key) >= 2**63 or moment.tzinfo is None or len(parts) != 2:
            raise ValueError(cursor)
    except (ValueError, TypeError, LookupError, binascii.Error, RecursionError):
        sentence = _("This page of the list cannot be found. Start again from the newest.")
        raise Invalid(sentence, field="after", code="cursor_invalid") from None
    return moment, key
