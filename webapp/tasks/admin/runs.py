"""One run: its log, progress, attempts, arguments, and what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from flask import Response, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import gettext as _

from webapp.database import db
from webapp.lib import clock
from webapp.tasks import listing, service
from webapp.tasks.admin.blueprint import blueprint
from webapp.tasks.models import Task, TaskAttempt, TaskRun
from webapp.tasks.words import pretty
from webapp.web.filters import format_number
from webapp.web.guards import current_admin, needs


@blueprint.get("/runs/<run_id>")
@needs("tasks.read")
def run(run_id: str) -> ResponseReturnValue:
    """Show a run; while it is under way its log follows by itself."""
    run, task = service.get_run(run_id)
    lines = listing.log_end(run.id)
    attempts = listing.attempts_of(run.id)
    return render_template(
        "tasks/run.html",
        run=run,
        task=task,
        live=not run.run_state.final,
        lines=lines,
        last_line=lines[-1].id if lines else 0,
        log_clock=log_clock,
        warnings=listing.warnings_in(run.id),
        attempts=attempts,
        seconds_of=seconds_of,
        percent=percent(run),
        progress_words=progress_words(run),
        recent=listing.recent_runs([task.id], up_to=run.id)[task.id],
        **_private(run, task, attempts),
    )


@blueprint.get("/runs/<run_id>/log")
@needs("tasks.read")
def log(run_id: str) -> ResponseReturnValue:
    """Send the whole log of a run as text; times are in UTC."""
    run, _task = service.get_run(run_id)
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001

    def body(number: int) -> Iterator[str]:
        after = 0
        while True:
            with app.app_context():
                lines = listing.log_after(number, after)
                db.session.remove()
            if not lines:
                return
            after = lines[-1].id
            yield "".join(f"{each.logged_at.isoformat()} {each.level} {each.text}\n" for each in lines)

    response = Response(body(run.id), mimetype="text/plain")
    response.headers["Content-Disposition"] = f'attachment; filename="run-{run.public_id}.log"'
    response.headers["Cache-Control"] = "no-store"
    return response


def percent(run: TaskRun) -> int | None:
    """Return how far a run is, None where it does not say."""
    if run.progress_done is None or not run.progress_total or run.progress_total < 0:
        return None
    return max(0, min(100, 100 * run.progress_done // run.progress_total))


def progress_words(run: TaskRun) -> str:
    """Return how much of how much is done, nothing where the run does not say."""
    if run.progress_done is None or not run.progress_total:
        return ""
    done, total = format_number(run.progress_done), format_number(run.progress_total)
    return str(_("%(done)s of %(total)s", done=done, total=total))


def log_clock(moment: dt.datetime, zone: dt.tzinfo | None = None) -> str:
    """Return a time of day to the millisecond, by default in the reader's zone."""
    return f"{moment.astimezone(zone or get_timezone()):%H:%M:%S.%f}"[:-3]


def seconds_of(attempt: TaskAttempt) -> float:
    """Return how long an attempt took, or takes so far."""
    return ((attempt.finished_at or clock.utc_now()) - attempt.started_at).total_seconds()


def _private(run: TaskRun, task: Task, attempts: Any) -> dict[str, str]:
    """Return what only those see who may change tasks, and nobody of a user's own tasks."""
    if task.owner_kind != service.SYSTEM or not current_admin.may("tasks.change"):
        return {"arguments": "", "result": "", "trace": ""}
    trace = next((each.trace for each in reversed(attempts) if each.trace), "")
    return {
        "arguments": pretty(task.arguments) if task.given else "",
        "result": pretty(run.result),
        "trace": trace,
    }
