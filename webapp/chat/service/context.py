"""What is sent to the model: the turns of a conversation that fit."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from webapp.chat import rules
from webapp.chat.models import Message
from webapp.database import db
from webapp.errors import Invalid, Unavailable
from webapp.lib.text import language_of
from webapp.llm import service as llm
from webapp.llm.rules import ChatMessage, ChatRequest, ModelInfo

# Sent after an answer that broke off, in the language of that answer.
_CONTINUE = {
    "zh-CN": "请从中断处继续，不要重复已经写出的内容。",
    None: "Continue exactly where you stopped. Do not repeat what is already written.",
}


def chosen_model(name: str | None) -> ModelInfo:
    """Return the model of that name, or the default one; raises Invalid or Unavailable in words."""
    if not name:
        model = llm.default_model()
        if model is None:
            raise Unavailable(_("No model is set up yet. An administrator can add one; see the README."))
        return model
    for model in llm.models():
        if model.name == name and model.available:
            return model
    raise Invalid(_("This model is not available. Choose another one."), field="model", code="model_unknown")


def request_for(answer: Message, model: ModelInfo, *, thinking: bool) -> ChatRequest:
    """Build the request for an answer from the turns before it, and from its own text when it is continued."""
    before = db.session.scalars(
        select(Message)
        .where(
            Message.conversation_id == answer.conversation_id,
            Message.position < answer.position,
            Message.superseded_at.is_(None),
        )
        .order_by(Message.position.desc())
        .limit(200)
    ).all()
    messages = [ChatMessage("user" if m.role == "user" else "assistant", m.text) for m in _fitting(before)]
    if answer.text:
        wish = _CONTINUE["zh-CN" if language_of(answer.text) == "zh-CN" else None]
        messages += [ChatMessage("assistant", answer.text), ChatMessage("user", wish)]
    return ChatRequest(
        model=model.name, messages=tuple(messages), thinking=thinking if model.thinking else None
    )


def _fitting(newest_first: Sequence[Message]) -> list[Message]:
    """Return the newest turns that fit into the context, oldest first, beginning with a question."""
    kept: list[Message] = []
    characters = 0
    for message in newest_first:
        characters += len(message.text)
        if kept and characters > rules.CONTEXT_MAX_CHARACTERS:
            break
        if message.text:
            kept.append(message)
    kept.reverse()
    while kept and kept[0].role != "user":
        kept.pop(0)
    return kept
