"""What a run reads and writes: one transaction at its beginning, one with its answer, one at its end."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from webapp.accounts.models import User
from webapp.accounts.rules import UserState
from webapp.chat.models import Conversation, Message
from webapp.chat.service import AnswerOutcome
from webapp.database import db, write_transaction
from webapp.lib import clock
from webapp.prompts import letters
from webapp.prompts.models import PromptRun, ScheduledPrompt
from webapp.prompts.rules import Destination, Problem
from webapp.tasks.models import TaskRun


@dataclass(frozen=True, slots=True)
class Work:
    """What a run has to do: whom to ask what, and where the answer goes. `problem` is set where it has ended already."""

    run_id: int
    key: str  # the run's public id: the same for each attempt
    user_id: int
    name: str
    text: str
    model: str
    zone: str
    keeps_conversation: bool
    ended: bool
    problem: Problem | None


@write_transaction
def begin(run_id: int, prompt_id: str) -> Work | None:
    """Note that a run has begun; None where its schedule is gone."""
    found = db.session.scalar(select(ScheduledPrompt).where(ScheduledPrompt.public_id == prompt_id))
    run = db.session.get(TaskRun, run_id)
    if found is None or run is None or run.task_id != found.task_id:
        return None
    noted = db.session.get(PromptRun, run_id)
    if noted is None:
        noted = PromptRun(run_id=run_id, prompt_id=found.id, model=found.model, problem="")
        db.session.add(noted)
    user = db.session.get_one(User, found.user_id)
    if noted.ended_at is None and user.state != UserState.ACTIVE.value:
        noted.problem, noted.ended_at = Problem.ACCOUNT.value, clock.utc_now()
    return Work(
        run_id=run_id,
        key=run.public_id,
        user_id=user.id,
        name=found.name,
        text=found.text,
        model=found.model,
        zone=found.task.timezone,
        keeps_conversation=found.destination == Destination.ONE.value,
        ended=noted.ended_at is not None,
        problem=Problem(noted.problem) if noted.problem else None,
    )


def conversation_for(work: Work) -> Conversation | None:
    """Return the conversation an answer goes to, None where a new one is to be made."""
    if not work.keeps_conversation:
        return None
    return db.session.scalar(
        select(Conversation)
        .join(ScheduledPrompt, ScheduledPrompt.conversation_id == Conversation.id)
        .join(PromptRun, PromptRun.prompt_id == ScheduledPrompt.id)
        .where(
            PromptRun.run_id == work.run_id,
            Conversation.user_id == work.user_id,
            Conversation.deleted_at.is_(None),
        )
    )


@write_transaction
def note_answer(work: Work, answer_id: int) -> None:
    """Note which answer a run waits for, and which conversation goes on."""
    noted = db.session.get(PromptRun, work.run_id)
    if noted is None:
        return
    noted.answer_id = answer_id
    if work.keeps_conversation:
        prompt = db.session.get_one(ScheduledPrompt, noted.prompt_id)
        prompt.conversation_id = db.session.get_one(Message, answer_id).conversation_id


@write_transaction
def conclude(work: Work, problem: Problem | None, outcome: AnswerOutcome | None) -> None:
    """Note what came of a run, and mail it where that is wanted; harmless when it is noted already."""
    noted = db.session.get(PromptRun, work.run_id, with_for_update=True)
    if noted is None or noted.ended_at is not None:
        return
    noted.problem, noted.ended_at = problem.value if problem else "", clock.utc_now()
    if outcome is not None:
        noted.prompt_tokens, noted.completion_tokens = outcome.prompt_tokens, outcome.completion_tokens
        noted.estimated, noted.cost_micros = outcome.estimated, outcome.cost_micros
    prompt = db.session.get_one(ScheduledPrompt, noted.prompt_id)
    if prompt.mail and problem is not Problem.CANCELLED:
        letters.queue_answer(prompt, noted, outcome.text if outcome else "")
