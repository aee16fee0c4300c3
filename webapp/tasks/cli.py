"""`flask tasks …`: scheduled tasks from the shell of the machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

import click
from flask.cli import AppGroup
from sqlalchemy import or_, select

from webapp.audit import service as audit
from webapp.database import db
from webapp.errors import AppError
from webapp.tasks import listing, service
from webapp.tasks.listing import RunFilter, TaskFilter
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.rules import RunState
from webapp.tasks.words import schedule_in_words, took_in_words

P = ParamSpec("P")

POLL_SECONDS: Final = 0.2
UNTAKEN_SECONDS: Final = 10

group = AppGroup("tasks", help="Scheduled tasks: list, run, pause, resume, history.")


def _in_words(command: Callable[P, None]) -> Callable[P, None]:
    """Say a refusal on standard error and end with 1."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except AppError as error:
            raise click.ClickException(error.sentence) from None

    return told


@group.command("list")
def list_() -> None:
    """List tasks: id, name, function, state, schedule, next run in UTC."""
    cursor: str | None = None
    while True:
        page = listing.list_tasks(TaskFilter(), after=cursor, before=None)
        for task in page.items:
            due = f"{task.next_run_at:%Y-%m-%d %H:%M:%S}" if task.next_run_at else "-"
            cells = (task.public_id, task.name, task.func_name, task.state)
            click.echo("\t".join((*cells, schedule_in_words(task.schedule), due)))
        cursor = page.next_cursor
        if cursor is None:
            return


@group.command("run")
@click.argument("task")
@click.option("--wait", is_flag=True, help="Show the log until the run ends; exit code 1 unless it succeeds.")
@_in_words
def run(task: str, *, wait: bool) -> None:
    """Start a run of TASK (id, name or function) in whichever process does the scheduled work."""
    started = service.run_now(audit.SYSTEM, _named(task).public_id)
    click.echo(f"run {started.public_id} is queued")
    if wait:
        sys.exit(_follow(started.id))


@group.command("pause")
@click.argument("task")
@_in_words
def pause(task: str) -> None:
    """Take TASK out of the schedule."""
    click.echo(f"{service.pause(audit.SYSTEM, _named(task).public_id).name} is paused.")


@group.command("resume")
@click.argument("task")
@_in_words
def resume(task: str) -> None:
    """Put TASK back into the schedule."""
    found = service.resume(audit.SYSTEM, _named(task).public_id)
    click.echo(f"{found.name} is active; next run {found.next_run_at:%Y-%m-%d %H:%M:%S} UTC.")


@group.command("history")
@click.argument("task", required=False)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--failed", is_flag=True, help="Only runs that failed.")
@_in_words
def history(task: str | None, limit: int, *, failed: bool) -> None:
    """List runs, the newest first: id, task, due in UTC, end, how long, reason."""
    chosen = RunFilter(task_id=_named(task).id if task else None, state="bad" if failed else "")
    for row in listing.list_runs(chosen, after=None, before=None, limit=limit).items:
        one: TaskRun = row.TaskRun
        took = (
            (one.finished_at - one.started_at).total_seconds() if one.finished_at and one.started_at else None
        )
        due = f"{one.scheduled_for:%Y-%m-%d %H:%M:%S}"
        click.echo("\t".join((one.public_id, row.Task.name, due, one.state, took_in_words(took), one.reason)))


def _named(text: str) -> Task:
    """Return the one task of that id, name or function."""
    either = or_(Task.public_id == text, Task.built_in_key == text, Task.name == text, Task.func_name == text)
    found = db.session.scalars(select(Task).where(either).limit(10)).all()
    exact = [task for task in found if text in {task.public_id, task.built_in_key}] or found
    if not exact:
        raise click.ClickException(f"There is no task {text}: flask tasks list")
    if len(exact) > 1:
        raise click.ClickException(f"Several tasks are called {text}; give the id: flask tasks list")
    return exact[0]


def _follow(run_id: int) -> int:
    """Print the log of a run until it ends, and return the exit code."""
    after, waited, told = 0, 0.0, False
    while True:
        db.session.remove()
        run = db.session.get(TaskRun, run_id)
        for line in listing.log_after(run_id, after):
            after = line.id
            click.echo(f"{line.logged_at:%H:%M:%S} {line.level} {line.text}")
        if run is None or run.run_state.final:
            break
        if run.run_state is RunState.QUEUED and waited > UNTAKEN_SECONDS and not told:
            told = True
            click.echo("No process has taken it yet. Is one up? flask scheduler run", err=True)
        time.sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    state = run.state if run is not None else "deleted"
    click.echo(f"{state} {run.reason if run is not None else ''}".rstrip())
    return 0 if state == RunState.SUCCEEDED.value else 1
