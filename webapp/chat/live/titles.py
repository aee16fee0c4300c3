"""The title of a conversation, asked of the model that wrote its first answer.

Nobody waits for it and nothing depends on it: until it comes, and where it does not come, the conversation is
called by its first question. What the person calls it always stands.
"""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from typing import Final

from flask import Flask
from sqlalchemy import select

from webapp.chat import rules
from webapp.chat.models import Conversation, Generation, Message
from webapp.chat.rules import AnswerState
from webapp.database import db, write_transaction
from webapp.lib import clock
from webapp.lib.text import language_of, shorten, without_lone_surrogates
from webapp.llm import service as llm
from webapp.llm.errors import Aborted, ProviderError
from webapp.llm.models import UsageEntry
from webapp.llm.rules import ChatMessage, ChatRequest, Usage

log = logging.getLogger(__name__)

SECONDS: Final = 20
TOKENS: Final = 64
EXCERPT_CHARACTERS: Final = 1_200  # of the question, and of the answer
ANSWER_CHARACTERS: Final = 400  # after which a model is surely not writing a title
# Demonstration models: one is too weak to be asked, the other plays what is written.
UNASKED: Final = frozenset({"local", "scripted"})

_WISH: Final = {
    "zh-CN": "给下面的对话起一个标题，不超过十五个字。只写标题，不要引号、句号和解释。",
    None: "Write a title of at most six words for the conversation below, in the language of the conversation. "
    "Write only the title: no quotation marks, no full stop, no explanation.",
}
_LABEL: Final = re.compile(r"^(?:title|标题|題目|题目)\s*[:：]\s*", re.IGNORECASE)
_WRAPPING: Final = " \t\"'“”‘’«»「」『』《》〈〉*_`#.。"


@dataclass(frozen=True, slots=True)
class _Exchange:
    conversation_id: int
    generation_id: int
    user_id: int
    began: int
    title: str
    request: ChatRequest


def make(app: Flask, message_id: int) -> None:
    """Ask for the title of the conversation that this first answer is in, and store it; never raises."""
    try:
        with app.app_context():
            exchange = _find(message_id)
            db.session.remove()
            if exchange is not None:
                price = llm.price_of(exchange.request.model)
                _store(exchange, price, *_ask(exchange.request))
    except Exception:
        log.exception("no title made")


def title_in(text: str) -> str:
    """Return the title a model wrote, without what models put around titles; nothing where there is none."""
    text = without_lone_surrogates(text).rpartition("</think>")[2].strip()
    if text.startswith("<think>"):
        return ""
    line = "".join(each if each.isprintable() else " " for each in text.partition("\n")[0])
    line = _LABEL.sub("", line.strip(_WRAPPING)).strip(_WRAPPING)
    return shorten(line, rules.TITLE_FROM_MODEL_LENGTH)


def _find(message_id: int) -> _Exchange | None:
    """Return the exchange, None where its conversation has a title of its own or its model is not asked."""
    answer = db.session.get(Message, message_id)
    if answer is None or answer.superseded_at is not None:
        return None
    conversation = db.session.get_one(Conversation, answer.conversation_id)
    question = db.session.scalar(
        select(Message).where(
            Message.conversation_id == conversation.id,
            Message.position == answer.position - 1,
            Message.superseded_at.is_(None),
        )
    )
    model = next((each for each in llm.models() if each.name == answer.model), None)
    if question is None or model is None or not model.available or model.provider in UNASKED:
        return None
    if not _is_wanting(conversation, rules.first_title(question.text)):
        return None
    generation = db.session.scalars(
        select(Generation).where(Generation.message_id == answer.id).order_by(Generation.id.desc()).limit(1)
    ).one()
    return _Exchange(
        conversation_id=conversation.id,
        generation_id=generation.id,
        user_id=answer.user_id,
        began=int(generation.created_at.timestamp() * 1000),
        title=conversation.title,
        request=_request(model.name, question.text, answer.text, thinking=model.thinking),
    )


def _is_wanting(conversation: Conversation, title: str) -> bool:
    """Tell whether a conversation still is called by its first question."""
    return not conversation.title_is_final and conversation.deleted_at is None and conversation.title == title


def _request(model: str, question: str, answer: str, *, thinking: bool) -> ChatRequest:
    wish = _WISH["zh-CN" if language_of(f"{question}\n{answer}") == "zh-CN" else None]
    question, answer = shorten(question, EXCERPT_CHARACTERS), shorten(answer, EXCERPT_CHARACTERS)
    message = ChatMessage("user", f"{wish}\n\n<<<\n{question}\n\n{answer}\n>>>")
    return ChatRequest(model, (message,), max_tokens=TOKENS, thinking=False if thinking else None)


def _ask(request: ChatRequest) -> tuple[str, Usage, AnswerState]:
    """Return what the model wrote, what that took, and how it ended; it is given a short time."""
    text, usage, state = "", None, AnswerState.FAILED
    try:
        stream = llm.open_stream(request)
        limit = threading.Timer(SECONDS, stream.abort)
        limit.daemon = True
        limit.start()
        try:
            for deltas in stream:
                text += "".join(delta.text for delta in deltas)
                usage = next((delta.usage for delta in deltas if delta.usage is not None), usage)
                if len(text) > ANSWER_CHARACTERS:
                    break
            state = AnswerState.COMPLETE
        finally:
            limit.cancel()
            stream.close()
    except (ProviderError, Aborted) as error:
        log.info("no title came", extra={"error": type(error).__name__})
    if usage is None:
        usage = llm.estimate_usage(request, text) if text else Usage(0, 0, estimated=True)
    return text, usage, state


@write_transaction
def _store(exchange: _Exchange, price: llm.Price | None, text: str, usage: Usage, state: AnswerState) -> None:
    conversation = db.session.get(Conversation, exchange.conversation_id, with_for_update=True)
    title = title_in(text) if state is AnswerState.COMPLETE and len(text) <= ANSWER_CHARACTERS else ""
    if title and conversation is not None and _is_wanting(conversation, exchange.title):
        conversation.title = title
    db.session.add(
        UsageEntry(
            user_id=exchange.user_id,
            source=f"title:{exchange.generation_id}:{exchange.began}",
            model=exchange.request.model,
            ending=state.value,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            estimated=usage.estimated,
            cost_micros=price.cost_micros(usage) if price else None,
            created_at=clock.utc_now(),
        )
    )
