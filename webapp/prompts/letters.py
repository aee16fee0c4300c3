"""Mails about scheduled prompts: each answer where that is wanted, and that a schedule has paused. Nothing here commits."""

from __future__ import annotations

from typing import Any

from flask_babel import force_locale

from webapp.accounts.models import User
from webapp.chat.models import Conversation, Message
from webapp.config import current_settings
from webapp.database import db
from webapp.mail import outbox
from webapp.prompts import rules
from webapp.prompts.models import PromptRun, ScheduledPrompt
from webapp.prompts.words import problem_words
from webapp.tasks.models import Task
from webapp.tasks.rules import RunState


def queue_answer(prompt: ScheduledPrompt, noted: PromptRun, text: str) -> None:
    """Mail the answer of a run, or why there is none that is whole."""
    url = f"/schedules/{prompt.public_id}"
    if noted.answer_id is not None and (answer := db.session.get(Message, noted.answer_id)) is not None:
        conversation = db.session.get_one(Conversation, answer.conversation_id)
        url = f"/chat/{conversation.public_id}#a-{answer.public_id}"
    shown = text[: rules.MAIL_LENGTH].strip()
    _queue(prompt, url, text=shown, cut=len(text) > rules.MAIL_LENGTH, problem=noted.problem, paused=False)


def tell_paused(task: Task) -> None:
    """Mail the owner of a task that it was paused because it kept failing."""
    prompt = db.session.query(ScheduledPrompt).filter_by(task_id=task.id).one_or_none()
    if prompt is not None:
        _queue(prompt, f"/schedules/{prompt.public_id}", text="", cut=False, problem="", paused=True)


def _queue(prompt: ScheduledPrompt, url: str, *, text: str, cut: bool, problem: str, paused: bool) -> None:
    settings, user = current_settings(), db.session.get_one(User, prompt.user_id)
    locale = user.locale or settings.default_locale
    with force_locale(locale):
        reason = problem_words(RunState.FAILED, problem) if problem else ""
    context: dict[str, Any] = {
        "name": prompt.name,
        "text": text,
        "cut": cut,
        "reason": reason,
        "paused": paused,
        "count": rules.FAILURES_IN_ROW,
        "url": settings.base_url + url,
    }
    outbox.enqueue(to=user.email, template=rules.MAIL_TEMPLATE, locale=locale, context=context)
