"""Somebody's scheduled prompts in the export of their data, and their end with the account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from webapp.accounts.models import User
from webapp.accounts.service import Archive, in_batches
from webapp.database import db
from webapp.prompts.models import PromptRun, ScheduledPrompt
from webapp.tasks import service as tasks
from webapp.tasks.models import TaskRun


def export(user: User, archive: Archive) -> None:
    """Write the schedules, and what came of each run that is kept."""
    archive.table("schedules", _("Schedules"), lambda: _schedules(user))
    archive.table("schedule-runs", _("Runs of schedules"), lambda: _runs(user))


def erase(user: User) -> None:
    """Delete the tasks behind the schedules of an account that is erased, and with them the schedules."""
    tasks.erase_owned(user)


def _schedules(user: User) -> Iterator[dict[str, Any]]:
    query = select(ScheduledPrompt).where(ScheduledPrompt.user_id == user.id)
    for each in in_batches(query, ScheduledPrompt.id):
        yield {
            "name": each.name,
            "text": each.text,
            "model": each.model,
            "schedule": tasks.schedule_in_words(each.task.schedule),
            "scheduled_at": each.task.scheduled_at,
            "state": each.task.state,
            "next_run_at": each.task.next_run_at,
            "destination": each.destination,
            "mail": each.mail,
            "created_at": each.created_at,
        }


def _runs(user: User) -> Iterator[dict[str, Any]]:
    query = (
        select(ScheduledPrompt.name, TaskRun.scheduled_for, TaskRun.state, PromptRun)
        .join(TaskRun, TaskRun.id == PromptRun.run_id)
        .join(ScheduledPrompt, ScheduledPrompt.id == PromptRun.prompt_id)
        .where(ScheduledPrompt.user_id == user.id)
        .order_by(TaskRun.id)
    )
    for row in db.session.execute(query.execution_options(yield_per=200)):
        yield {
            "schedule": row.name,
            "due": row.scheduled_for,
            "state": row.state,
            "problem": row.PromptRun.problem,
            "model": row.PromptRun.model,
            "prompt_tokens": row.PromptRun.prompt_tokens,
            "completion_tokens": row.PromptRun.completion_tokens,
            "estimated": row.PromptRun.estimated,
            "cost_micros": row.PromptRun.cost_micros,
        }
