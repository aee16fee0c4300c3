"""The function behind every scheduled prompt: it asks as a person would, waits for the end, and tells the truth about it.

It runs in the engine's own process, where it does nothing but wait: the answer is written by the machinery of live
answers, which ends every answer by itself. Whatever it raises holds nothing of the texts, since administrators see it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import time
import traceback
from collections.abc import Callable
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from webapp.accounts.models import User
from webapp.chat import service as chat
from webapp.chat.models import Message
from webapp.chat.rules import AnswerState
from webapp.database import db
from webapp.errors import AppError, Invalid, NotFound, TooMany, Unavailable
from webapp.lib import clock
from webapp.lib.text import language_of
from webapp.prompts import letters, rules, service
from webapp.prompts.rules import Problem
from webapp.prompts.service import Work
from webapp.prompts.words import PROBLEMS
from webapp.tasks.service import Failed, RunContext, Skip, task_registry

log = logging.getLogger(__name__)

T = TypeVar("T")
LOOK_SECONDS: Final = 1.0
AWAY: Final = (OperationalError, InterfaceError, NoConnection)  # the database is
LAST_WAIT_SECONDS: Final = 30.0  # for an answer that was told to end
_STATES: Final = {
    AnswerState.LENGTH: Problem.LENGTH,
    AnswerState.FILTERED: Problem.FILTERED,
    AnswerState.STOPPED: Problem.STOPPED,
    AnswerState.INTERRUPTED: Problem.INTERRUPTED,
}
# What the model is told, in the language of the prompt.
_INSTRUCTIONS: Final = {
    "zh-CN": "这个问题由定时任务提出，当前时间是 {moment}（{zone}）。没有人在场，无法回答问题或确认任何事情。"
    "请不要反问；自行作出合理的假设并加以说明，现在就给出完整的答案。",
    None: "A schedule asks this question. It is now {moment} ({zone}). Nobody is there to answer questions or to confirm "
    "anything. Do not ask anything back: make reasonable assumptions, say which, and give the whole answer now.",
}


@task_registry.register(
    name=rules.FUNCTION,
    label=_l("Scheduled prompt"),
    description=_l("Asks a model what a person has scheduled."),
    creatable=False,
    isolated=False,
    waits=True,
    idempotent=True,
    timeout_seconds=rules.RUN_SECONDS,
    disable_after=rules.FAILURES_IN_ROW,
    when_disabled=letters.tell_paused,
)
def scheduled_prompt(run: RunContext, prompt: str) -> dict[str, Any]:
    """Ask a scheduled prompt; the result tells the tokens it took."""
    try:
        return _run(run, prompt)
    except (Failed, Skip):
        raise
    except Exception as error:  # noqa: BLE001 - what it says may repeat what was to be stored, so only its place is told
        trace = "".join(traceback.format_tb(error.__traceback__))
        log.error("scheduled prompt broke", extra={"error": type(error).__name__, "trace": trace})
        raise Failed(str(PROBLEMS[Problem.INTERNAL])) from None


def _run(run: RunContext, prompt_id: str) -> dict[str, Any]:
    work = _patiently(run, lambda: service.begin(run.id, prompt_id))
    if work is None:
        raise Skip("The schedule was deleted.")
    if work.ended:
        return _result(work.problem, {})
    try:
        answer_id = _ask_in_turn(run, work)
        _patiently(run, lambda: service.note_answer(work, answer_id))
        timely = _wait(run, answer_id, work)
    except _NotAsked as refusal:
        kept = refusal.problem
        _patiently(run, lambda: service.conclude(work, kept, None))
        return _result(kept, {})
    outcome = _patiently(run, lambda: chat.outcome_of(answer_id))
    problem = _judged(outcome) if timely else Problem.TIMED_OUT
    _patiently(run, lambda: service.conclude(work, problem, outcome))
    tokens = outcome.prompt_tokens + outcome.completion_tokens if outcome else 0
    return _result(problem, {"tokens": tokens})


class _NotAsked(Exception):
    """The question could not be asked."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem


def _result(problem: Problem | None, result: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a run, or raise what its problem makes of it."""
    if problem is None:
        return result
    sentence = str(PROBLEMS[problem])
    raise Skip(sentence) if problem is Problem.ACCOUNT else Failed(sentence)


def _ask_in_turn(run: RunContext, work: Work) -> int:
    """Ask as soon as it is this run's turn, and return the key of the answer; a repeated attempt finds the first one's."""
    deadline = clock.monotonic() + rules.PATIENCE_SECONDS
    while clock.monotonic() < deadline:
        try:
            asked = _patiently(run, lambda: _ask(work))
        except (TooMany, Unavailable):
            asked = None
        except NotFound:
            asked = None  # the conversation was deleted just now: a new one is made
        except Invalid as refusal:
            known = {"model_unknown": Problem.MODEL_GONE}
            raise _NotAsked(known.get(refusal.code, Problem.REFUSED)) from None
        if asked is not None:
            return asked
        run.check()
        time.sleep(LOOK_SECONDS)
    raise _NotAsked(Problem.BUSY)


def _ask(work: Work) -> int | None:
    """Store the question and begin its answer; None where its conversation is still busy with another one."""
    conversation = service.conversation_for(work)
    if conversation is not None and chat.is_being_answered(conversation):
        return None
    here = clock.utc_now().astimezone(ZoneInfo(work.zone))
    sent = chat.send_message(
        db.session.get_one(User, work.user_id),
        text=work.text,
        model=work.model,
        thinking=False,
        client_request_id=f"scheduled-{work.key}",
        conversation_id=conversation.public_id if conversation else None,
        request_id=f"run-{work.key}",
        title=work.name if work.keeps_conversation else f"{work.name} · {here:%Y-%m-%d %H:%M}",
        instructions=_instructions(work, here),
    )
    return sent.answer.id


def _instructions(work: Work, here: dt.datetime) -> str:
    words = _INSTRUCTIONS["zh-CN" if language_of(work.text) == "zh-CN" else None]
    return words.format(moment=f"{here:%Y-%m-%d %H:%M}", zone=work.zone)


def _wait(run: RunContext, answer_id: int, work: Work) -> bool:
    """Wait for the end of the answer; tell whether it came in time. Whatever else ends the wait ends the answer."""
    try:
        timely = _patiently(run, lambda: chat.wait_until_ended(answer_id, rules.ANSWER_SECONDS, run.check))
    except BaseException:
        _stop(answer_id, work)
        service.conclude(work, Problem.CANCELLED, chat.outcome_of(answer_id))
        raise
    if not timely:
        _stop(answer_id, work)
    return timely


def _stop(answer_id: int, work: Work) -> None:
    answer = db.session.get(Message, answer_id)
    if answer is None:
        return
    with contextlib.suppress(NotFound):  # with its conversation in the bin it was told to end already
        chat.stop_answer(db.session.get_one(User, work.user_id), answer.public_id)
    chat.wait_until_ended(answer_id, LAST_WAIT_SECONDS, lambda: None)


def _judged(outcome: chat.AnswerOutcome | None) -> Problem | None:
    """Return what is wrong with an answer that has ended."""
    if outcome is None:
        return Problem.GONE
    if outcome.state is AnswerState.COMPLETE:
        return None if outcome.text.strip() else Problem.EMPTY
    if outcome.error_kind in set(Problem):
        return Problem(outcome.error_kind)
    return _STATES.get(outcome.state, Problem.INTERNAL)


def _patiently(run: RunContext, act: Callable[[], T]) -> T:
    """Do something with the database, and wait for one that is away for as long as an answer may take."""
    deadline = clock.monotonic() + rules.ANSWER_SECONDS
    while True:
        try:
            return act()
        except AppError:
            raise
        except AWAY:
            db.session.remove()
            if clock.monotonic() > deadline:
                raise
        run.check()
        time.sleep(LOOK_SECONDS)
