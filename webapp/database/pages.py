"""Keyset pages: a list is continued after a row, so the last page costs what the first one costs."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Row, Select, and_, or_, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from webapp.errors import Invalid
from webapp.extensions import db

T = TypeVar("T")
Value = dt.datetime | str | int

CURSOR_MAX_LENGTH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and the cursors of what follows the last of them and of what precedes the first; None at an end."""

    items: Sequence[T]
    next_cursor: str | None
    previous_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted: by a column that is never NULL, and among equals by a key that is unique.

    An index over both, behind the columns that the list is filtered by, makes each page cost the same.
    """

    column: InstrumentedAttribute[Any]
    key: InstrumentedAttribute[int]
    descending: bool = True


def newest_first(
    query: Select[T],
    moment: InstrumentedAttribute[dt.datetime],
    key: InstrumentedAttribute[int],
    *,
    after: str | None,
    before: str | None = None,
    limit: int,
) -> Page[T]:
    """Return the rows that follow or precede a cursor, ordered by moment and then by key, newest first."""
    return sorted_page(query, Order(moment, key), after=after, before=before, limit=limit)


def sorted_page(
    query: Select[T], order: Order, *, after: str | None = None, before: str | None = None, limit: int
) -> Page[T]:
    """Return the entities that follow the cursor `after`, or precede the cursor `before`, or the first ones."""
    return _page(query, order, lambda ready: db.session.scalars(ready).all(), after, before, limit)


def sorted_rows(
    query: Select[*tuple[Any, ...]],
    order: Order,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int,
) -> Page[Row[*tuple[Any, ...]]]:
    """Return a page of plain rows, which must hold the columns of the order under their own names."""
    return _page(query, order, lambda ready: db.session.execute(ready).all(), after, before, limit)


def encode_cursor(value: Value, key: int) -> str:
    """Return an opaque, URL-safe text for a place in a list."""
    plain = value.isoformat() if isinstance(value, dt.datetime) else value
    return base64.urlsafe_b64encode(json.dumps([plain, key]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, kind: type = dt.datetime) -> tuple[Any, int]:
    """Return the place a cursor names in a list sorted by values of that kind.

    Raises Invalid for anything that `encode_cursor` did not make for such a list.
    """
    try:
        if len(cursor) > CURSOR_MAX_LENGTH:
            raise ValueError(cursor)
        value, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not _is_number(key):
            raise ValueError(cursor)
        return _checked_value(value, kind), key
    except (ValueError, TypeError, LookupError, OverflowError, binascii.Error, RecursionError):
        sentence = _("This page of the list cannot be found. Start again from the newest.")
        raise Invalid(sentence, field="after", code="cursor_invalid") from None


def _page(
    query: Select[*tuple[Any, ...]],
    order: Order,
    fetch: Callable[[Select[*tuple[Any, ...]]], Sequence[Any]],
    after: str | None,
    before: str | None,
    limit: int,
) -> Page[Any]:
    if before and not after:
        rows = fetch(_ordered(_beyond(query, order, before, back=True), order, back=True).limit(limit + 1))
        if len(rows) > limit:
            items = rows[:limit][::-1]
            return Page(items, _cursor_of(items[-1], order), _cursor_of(items[0], order))
        # the beginning of the list is reached: show its first page, whole
    start = _beyond(query, order, after, back=False) if after else query
    rows = fetch(_ordered(start, order, back=False).limit(limit + 1))
    items = rows[:limit]
    following = _cursor_of(items[-1], order) if len(rows) > limit else None
    preceding = None
    if after:
        preceding = _cursor_of(items[0], order) if items else after
    return Page(items, following, preceding)


def _ordered(query: Select[*tuple[Any, ...]], order: Order, *, back: bool) -> Select[*tuple[Any, ...]]:
    if order.descending != back:
        return query.order_by(order.column.desc(), order.key.desc())
    return query.order_by(order.column.asc(), order.key.asc())


def _beyond(
    query: Select[*tuple[Any, ...]], order: Order, cursor: str, *, back: bool
) -> Select[*tuple[Any, ...]]:
    value, key = decode_cursor(cursor, _kind_of(order.column))
    return query.where(_lies_beyond(order, value, key, smaller=order.descending != back))


def _lies_beyond(order: Order, value: Value, key: int, *, smaller: bool) -> ColumnElement[bool]:
    """Compare both columns at once, in the form that lets the database start at the place in its index.

    SQLite does so for a comparison of rows; MySQL and MariaDB would read the index from its beginning for one, and
    do so for two ranges.
    """
    column, number = order.column, order.key
    if db.engine.dialect.name == "sqlite":
        here, there = tuple_(column, number), tuple_(value, key)
        return here < there if smaller else here > there
    beyond = column < value if smaller else column > value
    among_equals = number < key if smaller else number > key
    return or_(beyond, and_(column == value, among_equals))


def _cursor_of(row: Any, order: Order) -> str:
    return encode_cursor(getattr(row, order.column.key), getattr(row, order.key.key))


def _kind_of(column: InstrumentedAttribute[Any]) -> type:
    declared: Any = column.type
    kind: type = getattr(declared, "impl_instance", declared).python_type
    return kind


def _checked_value(value: Any, kind: type) -> Value:
    if kind is dt.datetime:
        moment = dt.datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(dt.UTC)
    elif kind is int and _is_number(value):
        return int(value)
    elif kind is str and isinstance(value, str):
        value.encode()  # a text with half a surrogate pair fits no database
        return value
    raise ValueError(value)


def _is_number(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63
