"""Asking and answering: each function stores what was asked in one transaction, then sets a producer to work."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from webapp import bus
from webapp.accounts.models import User
from webapp.chat import rules
from webapp.chat.live.leases import lease_end
from webapp.chat.live.runtime import runtime
from webapp.chat.models import Conversation, Generation, Message
from webapp.chat.service import context
from webapp.chat.service.conversations import get_conversation
from webapp.chat.service.inputs import check_request_id, checked_text
from webapp.chat.service.threads import get_message, latest_generation
from webapp.database import after_commit, db, write_transaction
from webapp.errors import Conflict, Unavailable
from webapp.lib import clock
from webapp.llm import service as llm
from webapp.llm.rules import ChatMessage, ChatRequest, ModelInfo


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored question and its answer; `repeated` tells that an earlier request had stored them."""

    conversation: Conversation
    question: Message
    answer: Message
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """A stored answer that is to be written."""

    generation: Generation
    answer: Message
    request: ChatRequest

    def instructed(self, instructions: str) -> Work:
        """Return the same with an instruction to the model before all turns."""
        if not instructions:
            return self
        messages = (ChatMessage("system", instructions), *self.request.messages)
        return replace(self, request=replace(self.request, messages=messages))


def send_message(
    user: User,
    *,
    text: str,
    model: str | None,
    thinking: bool,
    client_request_id: str | None,
    conversation_id: str | None,
    request_id: str,
    title: str = "",
    instructions: str = "",
) -> Sent:
    """Store a question and begin its answer; the same client request id again returns what the first one stored.

    `title` is that of a new conversation, by default taken from the question. The model gets `instructions` beside it.
    """
    text = checked_text(text)
    check_request_id(client_request_id)
    chosen = context.chosen_model(model)
    try:
        sent, work = _store_question(
            user,
            text,
            chosen,
            conversation_id,
            client_request_id,
            thinking=thinking,
            request_id=request_id,
            title=title,
            instructions=instructions,
        )
    except IntegrityError:
        repeated = find_repeated(user, client_request_id)
        if repeated is None:
            raise
        return repeated
    launch(work)
    return sent


def edit_question(
    user: User,
    message_id: str,
    *,
    text: str,
    client_request_id: str | None,
    request_id: str,
    model: str | None = None,
) -> Sent:
    """Put another text in the place of the last question and answer that; the old pair is kept, but not shown."""
    text = checked_text(text)
    check_request_id(client_request_id)
    chosen = context.chosen_model(model)
    sent, work = _store_edit(user, message_id, text, chosen, client_request_id, request_id)
    launch(work)
    return sent


def regenerate(user: User, answer_id: str, *, model: str | None, request_id: str) -> Message:
    """Answer the last question once more; the old answer is kept, but not shown."""
    chosen = context.chosen_model(model or get_message(user, answer_id, role="assistant").model)
    answer, work = _store_new_answer(user, answer_id, chosen, request_id)
    launch(work)
    return answer


def continue_answer(user: User, answer_id: str, *, request_id: str) -> Message:
    """Go on with the last answer where it stopped."""
    chosen = context.chosen_model(get_message(user, answer_id, role="assistant").model)
    answer, work = _store_continuation(user, answer_id, chosen, request_id)
    launch(work)
    return answer


def stop_answer(user: User, answer_id: str, *, once: bool = False) -> None:
    """End an answer that is being written, whichever process writes it; harmless when it has ended."""
    message = get_message(user, answer_id, role="assistant", once=once)
    _request_stop(message.id)
    runtime().stop(message.id)


# -- transactions ----------------------------------------------------------------------------------------


@write_transaction
def _store_question(
    user: User,
    text: str,
    model: ModelInfo,
    conversation_id: str | None,
    client_request_id: str | None,
    *,
    thinking: bool,
    request_id: str,
    title: str,
    instructions: str,
) -> tuple[Sent, Work | None]:
    repeated = find_repeated(user, client_request_id)
    if repeated is not None:
        return repeated, None
    conversation = _locked_conversation(user, conversation_id, text, title)
    last = db.session.scalar(
        select(func.max(Message.position)).where(Message.conversation_id == conversation.id)
    )
    position = 0 if last is None else last + 1
    if position == 0 and not conversation.title_is_final:
        conversation.title = rules.first_title(text)
    question = Message(
        conversation_id=conversation.id,
        user_id=user.id,
        position=position,
        role="user",
        text=text,
        client_request_id=client_request_id,
    )
    db.session.add(question)
    answer, work = begin_answer(conversation, position + 1, model, thinking=thinking, request_id=request_id)
    return Sent(conversation, question, answer), work.instructed(instructions)


@write_transaction
def _store_edit(
    user: User, message_id: str, text: str, model: ModelInfo, client_request_id: str | None, request_id: str
) -> tuple[Sent, Work | None]:
    repeated = find_repeated(user, client_request_id)
    if repeated is not None:
        return repeated, None
    old = get_message(user, message_id, role="user")
    conversation = _lock(old.conversation_id)
    repeated = find_repeated(user, client_request_id)  # it may have been stored while this one waited
    if repeated is not None:
        return repeated, None
    _check_last(old, answers_behind=1)
    old_answer = _shown_at(conversation, old.position + 1)
    thinking = _supersede_answer(old_answer)
    old.superseded_at = clock.utc_now()
    if old.position == 0 and not conversation.title_is_final:
        conversation.title = rules.first_title(text)
    question = Message(
        conversation_id=conversation.id,
        user_id=user.id,
        position=old.position,
        version=old.version + 1,
        role="user",
        text=text,
        client_request_id=client_request_id,
    )
    db.session.add(question)
    version = old_answer.version + 1 if old_answer else 0
    answer, work = begin_answer(
        conversation, old.position + 1, model, thinking=thinking, request_id=request_id, version=version
    )
    return Sent(conversation, question, answer), work


@write_transaction
def _store_new_answer(user: User, answer_id: str, model: ModelInfo, request_id: str) -> tuple[Message, Work]:
    old = get_message(user, answer_id, role="assistant")
    conversation = _lock(old.conversation_id)
    _check_last(old)
    thinking = _supersede_answer(old)
    return begin_answer(
        conversation,
        old.position,
        model,
        thinking=thinking,
        request_id=request_id,
        version=old.version + 1,
    )


@write_transaction
def _store_continuation(
    user: User, answer_id: str, model: ModelInfo, request_id: str
) -> tuple[Message, Work]:
    answer = get_message(user, answer_id, role="assistant")
    _lock(answer.conversation_id)
    _check_last(answer)
    generation = latest_generation(answer)
    if not generation.answer_state.can_continue:
        raise Conflict(
            _("This answer cannot be continued. Ask for a new one instead."), code="not_continuable"
        )
    return answer, _begin_generation(answer, model, thinking=generation.thinking, request_id=request_id)


@write_transaction
def _request_stop(message_id: int) -> None:
    generation = db.session.scalar(
        select(Generation).where(Generation.message_id == message_id).order_by(Generation.id.desc()).limit(1)
    )
    if generation is not None and generation.answer_state.live and generation.stop_requested_at is None:
        generation.stop_requested_at = clock.utc_now()
        after_commit(lambda: bus.hints().tell(rules.STOP_TOPIC))


# -- parts of them ---------------------------------------------------------------------------------------


def begin_answer(
    conversation: Conversation,
    position: int,
    model: ModelInfo,
    *,
    thinking: bool,
    request_id: str,
    version: int = 0,
    request: ChatRequest | None = None,
) -> tuple[Message, Work]:
    """Store an empty answer inside the caller's transaction; what the model is asked follows from the turns before it.

    Raises TooMany and Unavailable.
    """
    answer = Message(
        conversation_id=conversation.id,
        user_id=conversation.user_id,
        position=position,
        version=version,
        role="assistant",
        text="",
        reasoning="",
        model=model.name,
    )
    db.session.add(answer)
    conversation.updated_at = clock.utc_now()
    db.session.flush()
    return answer, _begin_generation(answer, model, thinking=thinking, request_id=request_id, request=request)


def _begin_generation(
    answer: Message,
    model: ModelInfo,
    *,
    thinking: bool,
    request_id: str,
    request: ChatRequest | None = None,
) -> Work:
    _check_capacity(answer.user_id)
    live = runtime()
    generation = Generation(
        message_id=answer.id,
        user_id=answer.user_id,
        model=model.name,
        thinking=thinking,
        process=live.process,
        first_tick=live.journal.tick,
        base_text_length=len(answer.text),
        base_reasoning_length=len(answer.reasoning),
        lease_until=lease_end(),
        request_id=request_id,
    )
    db.session.add(generation)
    db.session.flush()
    return Work(generation, answer, request or context.request_for(answer, model, thinking=thinking))


def launch(work: Work | None) -> None:
    """Begin to write an answer whose rows are committed."""
    if work is not None:
        runtime().launch(work.generation, work.answer, work.request)


def _check_capacity(user_id: int) -> None:
    if runtime().draining:
        raise Unavailable(_("The server is restarting. Send this again in a moment."), retry_after_seconds=2)
    llm.check_capacity(user_id)


def _locked_conversation(user: User, conversation_id: str | None, text: str, title: str) -> Conversation:
    if conversation_id:
        return _lock(get_conversation(user, conversation_id).id)
    shown = title[: rules.TITLE_MAX_LENGTH] or rules.first_title(text)
    conversation = Conversation(user_id=user.id, title=shown, title_is_final=bool(title))
    db.session.add(conversation)
    db.session.flush()
    return conversation


def _lock(conversation_pk: int) -> Conversation:
    """Return the conversation, locked against other writers until the transaction ends."""
    return db.session.scalars(
        select(Conversation).where(Conversation.id == conversation_pk).with_for_update()
    ).one()


def _check_last(message: Message, *, answers_behind: int = 0) -> None:
    last = db.session.scalar(
        select(func.max(Message.position)).where(Message.conversation_id == message.conversation_id)
    )
    if message.superseded_at is not None or (last or 0) > message.position + answers_behind:
        raise Conflict(_("The conversation has moved on. Reload the page and look at the last turn."))


def _shown_at(conversation: Conversation, position: int) -> Message | None:
    return db.session.scalar(
        select(Message).where(
            Message.conversation_id == conversation.id,
            Message.position == position,
            Message.superseded_at.is_(None),
        )
    )


def _supersede_answer(answer: Message | None) -> bool:
    """Hide an answer behind a newer version; return whether it was asked to think longer."""
    if answer is None:
        return False
    generation = latest_generation(answer)
    if generation.answer_state.live:
        raise Conflict(_("This answer is still being written. Stop it first."), code="answer_live")
    answer.superseded_at = clock.utc_now()
    return generation.thinking


def find_repeated(user: User, client_request_id: str | None) -> Sent | None:
    """Return what an earlier request with that id stored."""
    if not client_request_id:
        return None
    question = db.session.scalar(
        select(Message).where(Message.user_id == user.id, Message.client_request_id == client_request_id)
    )
    if question is None:
        return None
    conversation = db.session.get_one(Conversation, question.conversation_id)
    answer = db.session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation.id, Message.position == question.position + 1)
        .order_by(Message.version.desc())
        .limit(1)
    ).one()
    return Sent(conversation, question, answer, repeated=True)
