"""Single questions of programs: answered like a chat's, so that the stream can be taken up again, and kept for a day."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from webapp.accounts.models import User
from webapp.chat import rules
from webapp.chat.models import Conversation, Message
from webapp.chat.service.answers import Work, begin_answer, find_repeated, launch
from webapp.database import db, write_transaction
from webapp.lib import clock
from webapp.llm.rules import ChatRequest, ModelInfo

# An answer at position 1 would be asked for a title.
_PROMPT, _QUESTION, _ANSWER = 0, 1, 2


def ask_once(
    user: User, request: ChatRequest, model: ModelInfo, *, client_request_id: str | None, request_id: str
) -> Message:
    """Store a question and begin its answer; the same client request id again returns what the first one stored.

    Raises TooMany and Unavailable.
    """
    try:
        answer, work = _store(user, request, model, client_request_id, request_id)
    except IntegrityError:
        repeated = find_repeated(user, client_request_id)
        if repeated is None:
            raise
        return repeated.answer
    launch(work)
    return answer


@write_transaction
def _store(
    user: User, request: ChatRequest, model: ModelInfo, client_request_id: str | None, request_id: str
) -> tuple[Message, Work | None]:
    repeated = find_repeated(user, client_request_id)
    if repeated is not None:
        return repeated.answer, None
    conversation = Conversation(
        user_id=user.id, title="", title_is_final=True, expires_at=clock.utc_now() + rules.ONCE_KEPT
    )
    db.session.add(conversation)
    db.session.flush()
    common = {"conversation_id": conversation.id, "user_id": user.id}
    for message in request.messages:
        is_question = message.role == "user"
        db.session.add(
            Message(
                position=_QUESTION if is_question else _PROMPT,
                role=message.role,
                text=message.content,
                client_request_id=client_request_id if is_question else None,
                **common,
            )
        )
    return begin_answer(
        conversation, _ANSWER, model, thinking=bool(request.thinking), request_id=request_id, request=request
    )
