"""Reading the audit log: filters, pages, single entries, and everything for an export."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, and_, or_, select

from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.database import Order, Page, db, sorted_page, sorted_rows
from webapp.errors import NotFound
from webapp.lib import clock
from webapp.lib.csv_lines import BYTE_ORDER_MARK, csv_line

PAGE: Final = 50
EXPORT_BATCH: Final = 500
# Names and texts have no index: without a date of its own such a search goes back so far, whichever is less.
TEXT_SEARCH_DAYS: Final = 30
TEXT_SEARCH_ENTRIES: Final = 100_000
NEWEST_FIRST: Final = Order(AuditEntry.created_at, AuditEntry.id)
EXPORTED: Final = (
    "created_at",
    "event",
    "actor_kind",
    "actor_id",
    "actor_name",
    "target_kind",
    "target_id",
    "target_name",
    "address",
    "request_id",
    "before",
    "after",
    "public_id",
    "seal_number",
    "seal",
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for. `actor` and `target` are `kind:id`, as links have it, or the beginning of a name.

    `since` is included, `until` is not. `q` is looked for in names and values; entries of the events in `called`,
    which are called so in the reader's language, fit as well.
    """

    event: Event | None = None
    actor: str = ""
    target: str = ""
    address: str = ""
    request_id: str = ""
    q: str = ""
    called: tuple[Event, ...] = ()
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return any(getattr(self, field.name) for field in fields(self))

    @property
    def needs_start(self) -> bool:
        """Whether the search would read the whole log, for want of a date."""
        return self.since is None and any(
            text and not _kind_and_id(text) for text in (self.actor, self.target, self.q)
        )

    def as_told(self) -> dict[str, str]:
        """Return what is looked for, for the entry that an export leaves."""
        told = {field.name: str(value) for field in fields(self) if (value := getattr(self, field.name))}
        told.pop("called", None)  # follows from the words
        return told


def text_search_start() -> dt.datetime:
    """Return how far back a search for words goes that names no date."""
    order = (AuditEntry.created_at.desc(), AuditEntry.id.desc())
    far = db.session.scalar(
        select(AuditEntry.created_at).order_by(*order).offset(TEXT_SEARCH_ENTRIES).limit(1)
    )
    month_ago = clock.utc_now() - dt.timedelta(days=TEXT_SEARCH_DAYS)
    return month_ago if far is None else max(far, month_ago)


def entries(
    chosen: Filter, *, after: str | None, before: str | None = None, limit: int = PAGE
) -> Page[AuditEntry]:
    """Return a page of what fits, newest first."""
    query = _fitting(select(AuditEntry), chosen)
    return sorted_page(query, NEWEST_FIRST, after=after, before=before, limit=limit)


def get_entry(entry_id: str) -> AuditEntry:
    """Return one entry."""
    entry = db.session.scalar(select(AuditEntry).where(AuditEntry.public_id == entry_id))
    if entry is None:
        raise NotFound(_("There is no such entry; it may be older than entries are kept."))
    return entry


def csv_lines(chosen: Filter) -> Iterator[str]:
    """Yield what fits as CSV, newest first, a batch at a time."""
    yield BYTE_ORDER_MARK + csv_line(EXPORTED)
    for rows in _batches(chosen):
        yield "".join(csv_line(_values(row)) for row in rows)


def json_lines(chosen: Filter) -> Iterator[str]:
    """Yield what fits as one JSON object a line, newest first, a batch at a time."""
    for rows in _batches(chosen):
        yield "".join(json.dumps(_object(row), ensure_ascii=False) + "\n" for row in rows)


def _batches(chosen: Filter) -> Iterator[list[Any]]:
    query = select(AuditEntry.id, *(getattr(AuditEntry, name) for name in EXPORTED))
    cursor: str | None = None
    while True:
        page = sorted_rows(_fitting(query, chosen), NEWEST_FIRST, after=cursor, limit=EXPORT_BATCH)
        db.session.remove()  # no connection is held while the receiver takes its time
        if page.items:
            yield list(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return


def _values(row: Any) -> list[Any]:
    return [row.created_at.isoformat(), *(getattr(row, name) for name in EXPORTED[1:])]


def _object(row: Any) -> dict[str, Any]:
    told = dict(zip(EXPORTED, _values(row), strict=True))
    return told | {"before": json.loads(row.before), "after": json.loads(row.after)}


def _fitting(query: Select[*tuple[Any, ...]], chosen: Filter) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.event:
        conditions.append(AuditEntry.event == chosen.event.value)
    if chosen.actor:
        conditions.append(_party("actor", chosen.actor))
    if chosen.target:
        conditions.append(_party("target", chosen.target))
    if chosen.address:
        conditions.append(AuditEntry.address == chosen.address)
    if chosen.request_id:
        conditions.append(AuditEntry.request_id == chosen.request_id)
    if chosen.since:
        conditions.append(AuditEntry.created_at >= chosen.since)
    if chosen.until:
        conditions.append(AuditEntry.created_at < chosen.until)
    if chosen.q:
        columns = (AuditEntry.actor_name, AuditEntry.target_name, AuditEntry.before, AuditEntry.after)
        matches = [column.icontains(chosen.q, autoescape=True) for column in columns]
        if chosen.called:
            matches.append(AuditEntry.event.in_([event.value for event in chosen.called]))
        conditions.append(or_(*matches))
    return query.where(*conditions)


def _party(side: str, text: str) -> ColumnElement[bool]:
    named = _kind_and_id(text)
    if named:
        kind, key = (getattr(AuditEntry, f"{side}_{part}") for part in ("kind", "id"))
        return and_(kind == named[0], key == named[1])
    name: Any = getattr(AuditEntry, f"{side}_name")
    begins: ColumnElement[bool] = name.istartswith(text, autoescape=True)
    return begins


def _kind_and_id(text: str) -> tuple[str, str] | None:
    kind, colon, key = text.partition(":")
    return (kind, key) if colon and kind.isidentifier() and " " not in key else None
