"""Reading scheduled prompts: somebody's own with their history, and for administrators everything but the texts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, func, select

from webapp.accounts.models import User
from webapp.chat.models import Conversation, Message
from webapp.database import Order, Page, db, sorted_rows
from webapp.errors import NotFound
from webapp.prompts import rules
from webapp.prompts.models import PromptRun, ScheduledPrompt
from webapp.tasks import service as tasks
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.rules import RunState


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A run with what came of it; `conversation_id` and `answer_id` lead to its answer where there is one."""

    run: TaskRun
    outcome: PromptRun | None
    answer_id: str | None
    conversation_id: str | None

    @property
    def state(self) -> RunState:
        """Where the run stands."""
        return self.run.run_state

    @property
    def tokens(self) -> int | None:
        """What it took, None while that is not known."""
        if self.outcome is None or self.outcome.ended_at is None or self.answer_id is None:
            return None
        return self.outcome.prompt_tokens + self.outcome.completion_tokens


@dataclass(frozen=True, slots=True)
class AdminRow:
    """A scheduled prompt as administrators see it: nothing of its name and texts."""

    owner: User
    task: Task
    model: str
    last: HistoryRow | None
    tokens: int
    cost_micros: int | None


def get_prompt(user: User, prompt_id: str) -> ScheduledPrompt:
    """Return a scheduled prompt of the user; raises NotFound for anybody else's."""
    found = db.session.scalar(
        select(ScheduledPrompt).where(
            ScheduledPrompt.public_id == prompt_id, ScheduledPrompt.user_id == user.id
        )
    )
    if found is None:
        raise NotFound(_("There is no such schedule. It may have been deleted."))
    return found


def prompts_of(user: User) -> list[ScheduledPrompt]:
    """Return the user's scheduled prompts, those first that come next."""
    query = select(ScheduledPrompt).where(ScheduledPrompt.user_id == user.id)
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(db.session.scalars(query), key=lambda each: (each.task.next_run_at or never, each.name))


def history(
    prompt: ScheduledPrompt, *, after: str | None = None, before: str | None = None
) -> Page[Row[*tuple[Any, ...]]]:
    """Return a page of runs (see `rows_of`), the newest first."""
    query = _runs().where(TaskRun.task_id == prompt.task_id)
    return sorted_rows(
        query, Order(TaskRun.id, TaskRun.id), after=after, before=before, limit=rules.HISTORY_PER_PAGE
    )


def row_of(row: Row[*tuple[Any, ...]]) -> HistoryRow:
    """Return a row of a query for runs with names."""
    return HistoryRow(row.TaskRun, row.PromptRun, row.answer, row.conversation)


def last_runs(task_ids: Collection[int]) -> dict[int, HistoryRow]:
    """Return the newest run of each task that has any."""
    newest = select(func.max(TaskRun.id)).where(TaskRun.task_id.in_(task_ids)).group_by(TaskRun.task_id)
    rows = db.session.execute(_runs().where(TaskRun.id.in_(newest)))
    return {row.TaskRun.task_id: row_of(row) for row in rows}


def is_running(prompt: ScheduledPrompt) -> bool:
    """Tell whether a run waits or is at work."""
    return tasks.is_under_way(prompt.task)


def slots_of(prompt: ScheduledPrompt, count: int = rules.PREVIEWED) -> list[dt.datetime]:
    """Return when it comes next."""
    first = prompt.task.next_run_at
    return [] if first is None else [first, *prompt.task.schedule.upcoming(first, count - 1, anchor=first)]


def admin_list(*, after: str | None, before: str | None) -> Page[Row[*tuple[Any, ...]]]:
    """Return a page of everybody's (`id`, `model`, `task`, `owner`), the newest first, without any text."""
    query = (
        select(ScheduledPrompt.id, ScheduledPrompt.model, Task, User)
        .join(Task, Task.id == ScheduledPrompt.task_id)
        .join(User, User.id == ScheduledPrompt.user_id)
    )
    order = Order(ScheduledPrompt.id, ScheduledPrompt.id)
    return sorted_rows(query, order, after=after, before=before, limit=rules.ADMIN_PER_PAGE)


def admin_rows(page: Page[Row[*tuple[Any, ...]]]) -> list[AdminRow]:
    """Return the rows of a page of `admin_list` with the last run of each, and what its kept runs took."""
    last = last_runs([row.Task.id for row in page.items])
    tokens = func.sum(PromptRun.prompt_tokens + PromptRun.completion_tokens)
    sums = {
        row.prompt_id: row
        for row in db.session.execute(
            select(PromptRun.prompt_id, tokens.label("tokens"), func.sum(PromptRun.cost_micros).label("cost"))
            .where(PromptRun.prompt_id.in_([row.id for row in page.items]))
            .group_by(PromptRun.prompt_id)
        )
    }
    return [
        AdminRow(
            owner=row.User,
            task=row.Task,
            model=row.model,
            last=last.get(row.Task.id),
            tokens=int(sums[row.id].tokens or 0) if row.id in sums else 0,
            cost_micros=int(sums[row.id].cost) if row.id in sums and sums[row.id].cost is not None else None,
        )
        for row in page.items
    ]


def _runs() -> Any:
    """Return the query for runs with what came of them, and the ids of their answers as far as these can be seen."""
    return (
        select(
            TaskRun.id,
            TaskRun,
            PromptRun,
            Message.public_id.label("answer"),
            Conversation.public_id.label("conversation"),
        )
        .outerjoin(PromptRun, PromptRun.run_id == TaskRun.id)
        .outerjoin(Message, Message.id == PromptRun.answer_id)
        .outerjoin(
            Conversation, (Conversation.id == Message.conversation_id) & Conversation.deleted_at.is_(None)
        )
    )
