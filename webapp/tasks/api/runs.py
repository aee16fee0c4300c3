"""Runs: their history, one of them with its attempts and its log, and the live log."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field

from webapp.database import Page
from webapp.tasks import listing as lists
from webapp.tasks import service
from webapp.tasks.admin.stream import follow
from webapp.tasks.api.declaring import CHANGE, READ, RunAnswer, of_run, routes
from webapp.tasks.models import TaskLogLine
from webapp.web.api import Answer, ListQuery, Media, Moment, caller, listing


class RunsQuery(ListQuery):
    """Which runs; `bad` stands for failed, timed out and lost."""

    task: Annotated[str, Field(max_length=64)] = ""
    state: Literal[
        "", "bad", "queued", "running", "succeeded", "failed", "timed_out", "lost", "cancelled", "skipped"
    ] = ""
    trigger: Literal["", "schedule", "manual"] = ""
    since: Moment | None = None
    until: Moment | None = None


class RunsAnswer(Answer):
    """A page of runs, the newest first."""

    items: list[RunAnswer]
    next: str | None


class AttemptAnswer(Answer):
    """One attempt at a run."""

    number: int
    worker: str
    state: str
    reason: str
    started_at: dt.datetime
    finished_at: dt.datetime | None


class RunDetailsAnswer(RunAnswer):
    """A run with its attempts."""

    attempts: list[AttemptAnswer]


class LineAnswer(Answer):
    """A line that a run logged."""

    logged_at: dt.datetime
    level: str
    text: str


class LogAnswer(Answer):
    """A piece of a log, the oldest line first."""

    items: list[LineAnswer]
    next: str | None


@routes.get("/admin/runs", READ, query=RunsQuery, answer=RunsAnswer, refusals=(404,))
def runs(query: RunsQuery) -> dict[str, Any]:
    """List runs."""
    task = service.get_task(query.task) if query.task else None
    chosen = lists.RunFilter(
        task_id=task.id if task else None,
        state=query.state,
        trigger=query.trigger,
        since=query.since,
        until=query.until,
    )
    page = lists.list_runs(chosen, after=query.cursor, limit=query.limit)
    return listing(page, lambda row: of_run(row.TaskRun, row.Task))


@routes.get("/admin/runs/<run_id>", READ, answer=RunDetailsAnswer)
def run(run_id: str) -> RunDetailsAnswer:
    """Read a run with its attempts."""
    found, task = service.get_run(run_id)
    attempts = [
        AttemptAnswer(**{name: getattr(each, name) for name in AttemptAnswer.model_fields})
        for each in lists.attempts_of(found.id)
    ]
    return RunDetailsAnswer(**of_run(found, task).model_dump(), attempts=attempts)


@routes.get("/admin/runs/<run_id>/log", READ, query=ListQuery, answer=LogAnswer)
def log(run_id: str, query: ListQuery) -> dict[str, Any]:
    """Read the log of a run."""
    found, _task = service.get_run(run_id)
    after = int(query.cursor) if query.cursor else 0
    lines = lists.log_after(found.id, after, query.limit + 1)
    shown = lines[: query.limit]
    following = str(shown[-1].id) if len(lines) > query.limit else None
    return listing(Page(shown, following), _of_line)


@routes.get("/admin/runs/<run_id>/events", READ, answer=Media("text/event-stream"), limit="task_open_stream")
def events(run_id: str) -> Response:
    """Follow a run: its lines as they come, its state, and `done` at the end.

    The id of an event is that of the last line; send it back as `Last-Event-ID` to go on.
    """
    return follow(run_id, caller().still_holds)


@routes.post("/admin/runs/<run_id>/cancel", CHANGE, answer=RunAnswer, refusals=(409,))
def cancel(run_id: str) -> RunAnswer:
    """Cancel a run that waits or runs."""
    service.cancel_run(caller().person, run_id)
    return of_run(*service.get_run(run_id))


@routes.post("/admin/runs/<run_id>/retry", CHANGE, answer=RunAnswer, idempotent=True, refusals=(409,))
def retry(run_id: str) -> RunAnswer:
    """Run the task of a run that ended once more."""
    again = service.retry(caller().person, run_id)
    return of_run(*service.get_run(again.public_id))


def _of_line(line: TaskLogLine) -> LineAnswer:
    return LineAnswer(logged_at=line.logged_at, level=line.level, text=line.text)
