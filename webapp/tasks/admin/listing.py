"""Lists: the tasks, the week ahead, one task, and the history of runs."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import gettext as _

from webapp.lib import clock
from webapp.tasks import listing, service
from webapp.tasks.admin.blueprint import blueprint
from webapp.tasks.listing import RunFilter, TaskFilter
from webapp.tasks.registry import task_registry
from webapp.tasks.rules import RunState, TaskState, Trigger
from webapp.tasks.words import RUN_STATES, TASK_STATES, TRIGGERS, pretty, task_label
from webapp.web.guards import needs

UPCOMING = 5
RUNS_OF_TASK = 20
Q_MAX_LENGTH = 100


@blueprint.get("/")
@needs("tasks.read")
def index() -> ResponseReturnValue:
    """List the tasks."""
    chosen = TaskFilter(
        q=" ".join(request.args.get("q", "").split())[:Q_MAX_LENGTH],
        state=_one_of("state", [each.value for each in TaskState]),
        owner=_one_of("owner", ["built_in", "own", "users"]),
    )
    page = listing.list_tasks(chosen, after=request.args.get("after"), before=request.args.get("before"))
    values = {"q": chosen.q, "state": chosen.state, "owner": chosen.owner}
    return render_template(
        "tasks/list.html",
        page=page,
        recent=listing.recent_runs([task.id for task in page.items]),
        chosen=chosen,
        filters=values,
        nobody_works=listing.nobody_works(),
        newest_slot=listing.newest_slot(),
        states=[("", _("Any state")), *((each.value, TASK_STATES[each]) for each in TaskState)],
        owners=_owners(),
        newer=_beside("index", values, before=page.previous_cursor),
        older=_beside("index", values, after=page.next_cursor),
    )


@blueprint.get("/week")
@needs("tasks.read")
def week() -> ResponseReturnValue:
    """Show what comes in seven days."""
    return render_template("tasks/week.html", week=listing.week_from(clock.utc_now(), get_timezone()))


@blueprint.get("/runs")
@needs("tasks.read")
def runs() -> ResponseReturnValue:
    """List runs, the newest first."""
    named = request.args.get("task", "")
    task = service.get_task(named) if named else None
    values = {
        "task": named,
        "state": _one_of("state", ["bad", *(each.value for each in RunState)]),
        "trigger": _one_of("trigger", [each.value for each in Trigger]),
        "from": _day("from"),
        "to": _day("to"),
    }
    chosen = RunFilter(
        task_id=task.id if task else None,
        state=values["state"],
        trigger=values["trigger"],
        since=_start_of(values["from"]),
        until=_start_of(values["to"], following=True),
    )
    page = listing.list_runs(chosen, after=request.args.get("after"), before=request.args.get("before"))
    return render_template(
        "tasks/runs.html",
        page=page,
        task=task,
        filters=values,
        tasks=_tasks_offered(task),
        states=[
            ("", _("Any end")),
            ("bad", _("Whatever went wrong")),
            *((each.value, RUN_STATES[each]) for each in RunState),
        ],
        triggers=[("", _("Any start")), *((each.value, TRIGGERS[each]) for each in Trigger)],
        newer=_beside("runs", values, before=page.previous_cursor),
        older=_beside("runs", values, after=page.next_cursor),
    )


@blueprint.get("/<task_id>")
@needs("tasks.read")
def show(task_id: str) -> ResponseReturnValue:
    """Show one task."""
    task = service.get_task(task_id)
    slots: list[dt.datetime] = []
    if task.next_run_at is not None:
        first = task.next_run_at
        slots = [first, *task.schedule.upcoming(first, UPCOMING - 1, anchor=first)]
    history = listing.list_runs(RunFilter(task_id=task.id), after=None, before=None, limit=RUNS_OF_TASK)
    found = task_registry.find(task.func_name)
    return render_template(
        "tasks/task.html",
        task=task,
        found=found,
        slots=slots,
        runs=history,
        recent=listing.recent_runs([task.id])[task.id],
        arguments=pretty(task.arguments) if task.owner_kind == service.SYSTEM and task.given else "",
        ours=task.owner_kind == service.SYSTEM,
    )


def _owners() -> list[tuple[str, str]]:
    return [
        ("", _("All tasks")),
        ("built_in", _("Of the program")),
        ("own", _("Made here")),
        ("users", _("Of users")),
    ]


def _tasks_offered(chosen: Any) -> list[tuple[str, str]]:
    """Return the tasks a history can be narrowed to: the first page of them, and the one that is chosen."""
    page = listing.list_tasks(TaskFilter(), after=None, before=None)
    offered = {task.public_id: task_label(task) for task in (*page.items, *([chosen] if chosen else []))}
    return [("", _("All tasks")), *offered.items()]


def _one_of(name: str, allowed: list[str]) -> str:
    value = request.args.get(name, "")
    return value if value in allowed else ""


def _day(name: str) -> str:
    """Return a day of the address, nothing where it is none."""
    try:
        return dt.date.fromisoformat(request.args.get(name, "")).isoformat()
    except ValueError:
        return ""


def _start_of(day: str, *, following: bool = False) -> dt.datetime | None:
    """Return when a day begins in the reader's zone, or the day after it."""
    if not day:
        return None
    date = dt.date.fromisoformat(day)
    try:
        date += dt.timedelta(days=1 if following else 0)
        start = dt.datetime.combine(date, dt.time(), tzinfo=get_timezone())
        return start.astimezone(dt.UTC)
    except OverflowError:
        return None


def _beside(endpoint: str, filters: dict[str, str], **cursor: str | None) -> str:
    """Return the address of the page beside this one, empty where there is none."""
    known = {name: value for name, value in cursor.items() if value}
    if not known:
        return ""
    kept = {name: value for name, value in filters.items() if value}
    return f"{url_for(f'dashboard.tasks.{endpoint}')}?{urlencode(kept | known)}"
