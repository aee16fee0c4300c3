"""What administrators' programs can do with the audit log: search it, take it away, have it verified."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any

from flask import Response, stream_with_context
from pydantic import BaseModel, Field

from webapp.audit import reading, recording, verifying
from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.audit.words import verdict_in_words
from webapp.lib import clock
from webapp.web.api import (
    Answer,
    Body,
    Confirmation,
    ListQuery,
    Media,
    Moment,
    Routes,
    administrator,
    caller,
    listing,
)

routes = Routes("audit", tag="Audit log")

READ = administrator("audit.read")
EXPORT = administrator("audit.export")
VERIFY = administrator("audit.verify")
_TEXT_MAX_LENGTH = 120
_VERIFY_SECONDS = 8.0
_LAST_NUMBER = 2**63 - 1

Text = Annotated[str, Field(max_length=_TEXT_MAX_LENGTH)]


class FilterFields(BaseModel):
    """What is looked for. `actor` and `target` are `kind:id`, or the beginning of a name; `until` is not included."""

    event: Event | None = None
    actor: Text = ""
    target: Text = ""
    address: Text = ""
    request_id: Text = ""
    q: Text = ""
    since: Moment | None = None
    until: Moment | None = None

    @property
    def chosen(self) -> reading.Filter:
        """The filter as the pages know it; a search for words without a date goes back 30 days."""
        found = reading.Filter(**{name: getattr(self, name) for name in FilterFields.model_fields})
        return replace(found, since=reading.text_search_start()) if found.needs_start else found


class EntriesQuery(ListQuery, FilterFields):
    """Which entries, and which part of the list."""


class EntryAnswer(Answer):
    """An entry: who did what to whom; secrets are masked in `before` and `after`."""

    id: str
    event: str
    actor_kind: str
    actor_id: str
    actor_name: str
    target_kind: str
    target_id: str
    target_name: str
    address: str
    request_id: str
    before: dict[str, Any]
    after: dict[str, Any]
    created_at: dt.datetime
    seal_number: int | None


class EntriesAnswer(Answer):
    """A page of entries, the newest first."""

    items: list[EntryAnswer]
    next: str | None


class ExportBody(Confirmation, FilterFields):
    """Which entries."""


class VerifyBody(Body):
    """Where to go on: `next_number` of the answer before; null for the beginning."""

    start: Annotated[int, Field(ge=1, le=_LAST_NUMBER)] | None = None


class VerdictAnswer(Answer):
    """Whether the chain of seals holds; `next_number` where there was no time for all of it."""

    holds: bool
    checked: int
    last_number: int
    next_number: int | None
    message: str


@routes.get("/admin/audit", READ, query=EntriesQuery, answer=EntriesAnswer)
def entries(query: EntriesQuery) -> dict[str, Any]:
    """Search the audit log."""
    return listing(reading.entries(query.chosen, after=query.cursor, limit=query.limit), _of_entry)


@routes.get("/admin/audit/<entry_id>", READ, answer=EntryAnswer)
def entry(entry_id: str) -> EntryAnswer:
    """Read one entry."""
    return _of_entry(reading.get_entry(entry_id))


@routes.post(
    "/admin/audit/export/csv", EXPORT, body=ExportBody, answer=Media("text/csv"), limit="audit_export"
)
def export_csv(body: ExportBody) -> Response:
    """Take entries as a CSV file."""
    return _export(body.chosen, "csv", "text/csv", reading.csv_lines)


@routes.post(
    "/admin/audit/export/jsonl",
    EXPORT,
    body=ExportBody,
    answer=Media("application/x-ndjson"),
    limit="audit_export",
)
def export_jsonl(body: ExportBody) -> Response:
    """Take entries as one JSON object a line."""
    return _export(body.chosen, "jsonl", "application/x-ndjson", reading.json_lines)


@routes.post("/admin/audit/verify", VERIFY, body=VerifyBody, answer=VerdictAnswer, limit="audit_verify")
def verify(body: VerifyBody) -> VerdictAnswer:
    """Follow the chain of seals for some seconds; that it was looked at is recorded."""
    verdict = verifying.verify(start=body.start, seconds=_VERIFY_SECONDS)
    recording.record_alone(
        Event.AUDIT_VERIFIED,
        actor=caller().person,
        after={"holds": verdict.holds, "checked": verdict.checked, "last_number": verdict.last_number},
    )
    return VerdictAnswer(
        holds=verdict.holds,
        checked=verdict.checked,
        last_number=verdict.last_number,
        next_number=verdict.next_number,
        message=verdict_in_words(verdict),
    )


def _export(
    chosen: reading.Filter, name: str, kind: str, lines: Callable[[reading.Filter], Iterator[str]]
) -> Response:
    """Return the file; that it was taken is recorded first."""
    told = {"format": name, **chosen.as_told()}
    recording.record_alone(Event.AUDIT_EXPORTED, actor=caller().person, after=told)
    response = Response(stream_with_context(lines(chosen)), mimetype=kind)
    file_name = f"audit-{clock.utc_now():%Y-%m-%d-%H%M}.{name}"
    response.headers.set("Content-Disposition", "attachment", filename=file_name)
    return response


def _of_entry(entry: AuditEntry) -> EntryAnswer:
    names = set(EntryAnswer.model_fields) - {"id", "before", "after"}
    return EntryAnswer(
        id=entry.public_id,
        before=json.loads(entry.before),
        after=json.loads(entry.after),
        **{name: getattr(entry, name) for name in names},
    )
