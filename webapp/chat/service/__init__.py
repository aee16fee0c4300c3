"""What can be done with conversations and answers; each function is one use case."""

from webapp.chat.service.answers import continue_answer, edit_question, regenerate, send_message, stop_answer
from webapp.chat.service.conversations import (
    conversations,
    create,
    delete,
    get_conversation,
    live_answers,
    live_conversation_ids,
    purge_deleted,
    purge_expired,
    rename,
    restore,
    users_with_live_answers,
)
from webapp.chat.service.facts import Facts, facts, facts_of, messages
from webapp.chat.service.once import ask_once
from webapp.chat.service.search import Hit, search, search_words
from webapp.chat.service.threads import (
    AnswerView,
    Thread,
    Turn,
    answer_view,
    conversation_of,
    feed,
    get_message,
    is_last,
    model_of_answer,
    thread,
)
from webapp.chat.service.unattended import AnswerOutcome, is_being_answered, outcome_of, wait_until_ended

__all__ = [
    "AnswerOutcome",
    "AnswerView",
    "Facts",
    "Hit",
    "Thread",
    "Turn",
    "answer_view",
    "ask_once",
    "continue_answer",
    "conversation_of",
    "conversations",
    "create",
    "delete",
    "edit_question",
    "facts",
    "facts_of",
    "feed",
    "get_conversation",
    "get_message",
    "is_being_answered",
    "is_last",
    "live_answers",
    "live_conversation_ids",
    "messages",
    "model_of_answer",
    "outcome_of",
    "purge_deleted",
    "purge_expired",
    "regenerate",
    "rename",
    "restore",
    "search",
    "search_words",
    "send_message",
    "stop_answer",
    "thread",
    "users_with_live_answers",
    "wait_until_ended",
]
