"""The audit log as administrators search, read, export and verify it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import gettext as _

from webapp.audit import names, reading, recording, verifying
from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.audit.words import verdict_in_words
from webapp.errors import Invalid
from webapp.lib import clock
from webapp.web.guards import current_admin, fresh, needs
from webapp.web.limits import limit

blueprint = Blueprint("audit", __name__, url_prefix="/audit", template_folder="templates")
blueprint.add_app_template_filter(names.event_name, "event_name")
blueprint.add_app_template_filter(names.kind_name, "kind_name")

TEXTS = ("actor", "target", "address", "request_id", "q")
NAMES = ("event", *TEXTS, "from", "to")
TEXT_MAX_LENGTH = 120
VERIFY_SECONDS = 8.0  # of one look from the page; a longer log is followed in several
FORMATS = {"csv": ("text/csv", reading.csv_lines), "jsonl": ("application/x-ndjson", reading.json_lines)}


@blueprint.get("/")
@needs("audit.read")
def index() -> ResponseReturnValue:
    """List what fits the filter, newest first; the filter is the address, which can be kept."""
    typed = _typed(request.args)
    chosen = _filter(typed)
    page = reading.entries(chosen, after=request.args.get("after"), before=request.args.get("before"))
    return render_template(
        "audit/index.html",
        page=page,
        typed=dict.fromkeys(NAMES, "") | typed,
        chosen=chosen,
        events=names.choices(),
        newer=_address(typed, before=page.previous_cursor) if page.previous_cursor else "",
        older=_address(typed, after=page.next_cursor) if page.next_cursor else "",
    )


@blueprint.get("/<entry_id>")
@needs("audit.read")
def entry(entry_id: str) -> ResponseReturnValue:
    """Show one entry with what was before and after."""
    found = reading.get_entry(entry_id)
    return render_template("audit/entry.html", entry=found, differences=_differences(found))


@blueprint.post("/export")
@needs("audit.export")
@fresh
@limit("audit_export")
def export() -> ResponseReturnValue:
    """Send what fits the filter as a file, a piece at a time; that it was taken is recorded first."""
    chosen = _filter(_typed(request.form))
    name = request.form.get("format", "")
    if name not in FORMATS:
        raise Invalid(_("Choose CSV or JSON lines."), field="format")
    mimetype, lines = FORMATS[name]
    recording.record_alone(
        Event.AUDIT_EXPORTED, actor=current_admin, after={"format": name, **chosen.as_told()}
    )
    response = Response(stream_with_context(lines(chosen)), mimetype=mimetype)
    response.headers.set(
        "Content-Disposition", "attachment", filename=f"audit-{clock.utc_now():%Y-%m-%d-%H%M}.{name}"
    )
    return response


@blueprint.get("/verify")
@needs("audit.verify")
def verify_page() -> ResponseReturnValue:
    """Lead whoever reloads the result of a verification back to the log."""
    return redirect(url_for("dashboard.audit.index"))


@blueprint.post("/verify")
@needs("audit.verify")
@limit("audit_verify")
def verify() -> ResponseReturnValue:
    """Follow the chain of seals for some seconds and tell what was found; that it was looked at is recorded."""
    verdict = verifying.verify(start=request.form.get("start", type=int), seconds=VERIFY_SECONDS)
    recording.record_alone(
        Event.AUDIT_VERIFIED,
        actor=current_admin,
        after={"holds": verdict.holds, "checked": verdict.checked, "last_number": verdict.last_number},
    )
    return render_template("audit/verified.html", verdict=verdict, sentence=verdict_in_words(verdict))


def _typed(values: Any) -> dict[str, str]:
    return {name: text for name in NAMES if (text := values.get(name, "").strip()[:TEXT_MAX_LENGTH])}


def _filter(typed: dict[str, str]) -> reading.Filter:
    """Return the filter of what was typed; raises Invalid for an event or date that there is not."""
    try:
        event = Event(typed["event"]) if "event" in typed else None
    except ValueError:
        raise Invalid(_("There is no such event."), field="event") from None
    chosen = reading.Filter(
        event=event,
        since=_day(typed, "from"),
        until=_day(typed, "to", later=dt.timedelta(days=1)),
        called=names.events_called(typed["q"]) if "q" in typed else (),
        **{name: typed.get(name, "") for name in TEXTS},
    )
    return replace(chosen, since=reading.text_search_start()) if chosen.needs_start else chosen


def _day(typed: dict[str, str], name: str, later: dt.timedelta = dt.timedelta()) -> dt.datetime | None:
    """Return the beginning of a day, or of one after it, where the reader is."""
    if name not in typed:
        return None
    try:
        day = dt.datetime.fromisoformat(typed[name]).replace(tzinfo=None) + later
        zone: Any = get_timezone()
        local = zone.localize(day) if hasattr(zone, "localize") else day.replace(tzinfo=zone)
        return dt.datetime.astimezone(local, dt.UTC)
    except (ValueError, OverflowError):
        raise Invalid(_("This is not a date."), field=name) from None


def _address(typed: dict[str, str], **cursor: str | None) -> str:
    return url_for("dashboard.audit.index", **typed, **cursor)  # type: ignore[arg-type]


def _differences(entry: AuditEntry) -> list[dict[str, Any]]:
    """Return each field with its value before and after, None where there was none."""
    before, after = json.loads(entry.before), json.loads(entry.after)
    return [
        {"name": name, "before": _shown(before.get(name)), "after": _shown(after.get(name))}
        for name in dict.fromkeys([*before, *after])
    ]


def _shown(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
