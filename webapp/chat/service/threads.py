"""Reading conversations: turns in pages, and answers as they can be shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import func, select

from webapp.accounts.models import User
from webapp.chat import rules
from webapp.chat.live.blocks import Blocks
from webapp.chat.live.feed import Feed
from webapp.chat.live.runtime import runtime
from webapp.chat.models import Conversation, Generation, Message
from webapp.chat.rules import AnswerState, usage_source
from webapp.database import db
from webapp.errors import NotFound
from webapp.lib import clock
from webapp.lib.text import language_of
from webapp.llm import service as llm

TITLE_EXPECTED = dt.timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer as far as it is committed, ready to be shown.

    `html` holds the finished blocks, `tail` the raw text behind them (of a live answer), `event_id` the place
    from which a stream continues.
    """

    message: Message
    generation: Generation
    state: AnswerState
    html: Markup
    tail: str
    reasoning: str
    reasoning_seconds: int | None
    event_id: str
    usage: int | None
    estimated: bool
    cost_micros: int | None
    first_token_seconds: float | None
    error_kind: str | None
    request_id: str
    lang: str | None
    ended_at: dt.datetime | None
    model: str
    model_label: str

    @property
    def brings_title(self) -> bool:
        """Whether the conversation may get its title just now: it is asked for after the first answer."""
        recent = self.ended_at is not None and clock.utc_now() - self.ended_at < TITLE_EXPECTED
        return recent and self.message.position == 1 and self.state is AnswerState.COMPLETE


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer."""

    question: Message
    answer: AnswerView | None


@dataclass(frozen=True, slots=True)
class Thread:
    """Some turns, oldest first; `older` continues with those before them."""

    turns: list[Turn]
    older: str | None


def thread(conversation: Conversation, before: str | None = None) -> Thread:
    """Return the last turns of a conversation, or those before the question with that id."""
    query = select(Message).where(Message.conversation_id == conversation.id, Message.superseded_at.is_(None))
    if before:
        first = db.session.scalar(query.where(Message.public_id == before))
        if first is None:
            raise _no_such_message()
        query = query.where(Message.position < first.position)
    messages = db.session.scalars(
        query.order_by(Message.position.desc()).limit(2 * rules.TURNS_PER_PAGE + 1)
    ).all()
    shown = list(reversed(messages[: 2 * rules.TURNS_PER_PAGE]))
    older = shown[0].public_id if len(messages) > 2 * rules.TURNS_PER_PAGE else None
    return Thread(_turns(shown), older)


def answer_view(user: User, answer_id: str) -> AnswerView:
    """Return an answer of the user; raises NotFound for anybody else's."""
    message = get_message(user, answer_id, role="assistant")
    generation = latest_generation(message)
    return _view(message, generation, _costs([generation])[generation.id])


def get_message(user: User, message_id: str, *, role: str, once: bool = False) -> Message:
    """Return a message of the user in a conversation that is not deleted; raises NotFound otherwise.

    `once` looks among the single questions of programs instead.
    """
    message = db.session.scalar(
        select(Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Message.public_id == message_id,
            Message.role == role,
            Conversation.user_id == user.id,
            Conversation.deleted_at.is_(None),
            Conversation.expires_at.is_not(None) if once else Conversation.expires_at.is_(None),
        )
    )
    if message is None:
        raise _no_such_message()
    return message


def is_last(message: Message) -> bool:
    """Tell whether a message is the last one shown of its conversation: only that can be done again."""
    last = db.session.scalar(
        select(func.max(Message.position)).where(Message.conversation_id == message.conversation_id)
    )
    return message.superseded_at is None and last == message.position


def conversation_of(message: Message) -> Conversation:
    """Return the conversation a message is in."""
    return db.session.get_one(Conversation, message.conversation_id)


def model_of_answer(question: Message) -> str:
    """Return the model that answered a question last, nothing where there is no answer."""
    name = db.session.scalar(
        select(Message.model)
        .where(
            Message.conversation_id == question.conversation_id,
            Message.position == question.position + 1,
        )
        .order_by(Message.version.desc())
        .limit(1)
    )
    return name or ""


def feed(user: User, answer_id: str, *, once: bool = False) -> Feed:
    """Return what readers follow of an answer: a live feed, or one that holds all of an ended answer."""
    message = get_message(user, answer_id, role="assistant", once=once)
    generation = latest_generation(message)
    if generation.answer_state.live:
        return runtime().feed(generation, message)
    ended = Feed(message.text, message.reasoning)
    ended.finish(generation.answer_state)
    return ended


def latest_generation(message: Message) -> Generation:
    """Return the generation that gives an answer its state."""
    return db.session.scalars(
        select(Generation).where(Generation.message_id == message.id).order_by(Generation.id.desc()).limit(1)
    ).one()


def _turns(messages: Sequence[Message]) -> list[Turn]:
    answers = {m.position: m for m in messages if m.role == "assistant"}
    generations = _latest_generations([m.id for m in answers.values()])
    costs = _costs(generations.values())
    turns: list[Turn] = []
    for question in (m for m in messages if m.role == "user"):
        answer = answers.get(question.position + 1)
        if answer is None:
            turns.append(Turn(question, None))
            continue
        generation = generations[answer.id]
        turns.append(Turn(question, _view(answer, generation, costs[generation.id])))
    return turns


def _costs(generations: Iterable[Generation]) -> dict[int, int | None]:
    """Return what each generation cost in millionths, None where that is not known or not yet."""
    found = llm.costs_of([usage_source(each.id, each.created_at) for each in generations])
    return {each.id: found.get(usage_source(each.id, each.created_at)) for each in generations}


def _latest_generations(message_ids: list[int]) -> dict[int, Generation]:
    latest = (
        select(func.max(Generation.id))
        .where(Generation.message_id.in_(message_ids))
        .group_by(Generation.message_id)
    )
    rows = db.session.scalars(select(Generation).where(Generation.id.in_(latest)))
    return {row.message_id: row for row in rows}


def _view(message: Message, generation: Generation, cost_micros: int | None) -> AnswerView:
    text, reasoning, state = message.text, message.reasoning, generation.answer_state
    if state.live:
        live = runtime().feed(generation, message)
        text, reasoning, state = live.text, live.reasoning, live.state
    blocks = Blocks()
    blocks.advance(text)
    if not state.live:
        blocks.finish(text)
    tokens = [generation.prompt_tokens, generation.completion_tokens]
    return AnswerView(
        message=message,
        generation=generation,
        state=state,
        html=Markup(blocks.html(text)),  # noqa: S704 - sanitised by the renderer
        tail=text[blocks.start :] if state.live else "",
        reasoning=reasoning,
        reasoning_seconds=None
        if message.reasoning_ms is None
        else max(1, round(message.reasoning_ms / 1000)),
        event_id=f"{len(text)}.{len(reasoning)}" if reasoning else str(len(text)),
        usage=sum(number or 0 for number in tokens) if tokens != [None, None] else None,
        estimated=generation.usage_estimated,
        cost_micros=cost_micros,
        first_token_seconds=_first_token_seconds(generation),
        error_kind=generation.error_kind,
        request_id=generation.request_id,
        lang=language_of(text),
        ended_at=generation.finished_at,
        model=generation.model,
        model_label=llm.label_of(generation.model),
    )


def _first_token_seconds(generation: Generation) -> float | None:
    if generation.first_token_at is None:
        return None
    return (generation.first_token_at - generation.created_at).total_seconds()


def _no_such_message() -> NotFound:
    return NotFound(_("There is no such message. It may have been deleted."))
