"""What a conversation may hold, and the states of an answer."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Final

from webapp.lib.text import shorten
from webapp.llm import rules as llm

MESSAGE_MAX_LENGTH: Final = 32_000  # characters of a question
ANSWER_MAX_LENGTH: Final = llm.ANSWER_MAX_LENGTH
ANSWER_MAX_SECONDS: Final = llm.ANSWER_MAX_SECONDS
TITLE_MAX_LENGTH: Final = 120
TITLE_FROM_QUESTION_LENGTH: Final = 48
TITLE_FROM_MODEL_LENGTH: Final = 40
CLIENT_REQUEST_ID_MAX_LENGTH: Final = 64
MODEL_NAME_MAX_LENGTH: Final = 120
CONTEXT_MAX_CHARACTERS: Final = 60_000  # of earlier turns sent along; older ones are left out
TURNS_PER_PAGE: Final = 30
CONVERSATIONS_PER_PAGE: Final = 40
SEARCH_MAX_LENGTH: Final = 200  # characters of what is searched for
SEARCH_MAX_WORDS: Final = 6
SEARCH_MESSAGES: Final = 5_000  # of a person's messages, the newest, are searched
SEARCH_RESULTS: Final = 30
SEARCH_LEAD: Final = 60  # characters before the word that was found
SEARCH_EXCERPT: Final = 220
ONCE_KEPT: Final = dt.timedelta(days=1)  # a program's single question and its answer
UNDO_DAYS: Final = 7  # a deleted conversation can be taken back for so long

LEASE_SECONDS: Final = llm.LEASE_SECONDS
LEASE_RENEW_SECONDS: Final = llm.LEASE_RENEW_SECONDS
TICK_SECONDS: Final = 0.05
KICK_SECONDS: Final = 0.005
FOLLOW_SECONDS: Final = 0.1
FOLLOW_LEAST_SECONDS: Final = 0.02
TEXT_TOPIC: Final = "text"  # hints to other processes: text was committed
STOP_TOPIC: Final = "stop"  # somebody wants an answer stopped
HEARTBEAT_SECONDS: Final = 7  # it takes two to notice that a reader has left
RETRY_MILLISECONDS: Final = 1_000
READERS_WITH_THREADS: Final = 40  # where each holds one of waitress's threads; the others are for pages
READERS_PER_USER: Final = 50  # in one process; a reader that has left is noticed at the next heartbeat


def first_title(question: str) -> str:
    """Return what a conversation is called until it has a title: by its first question."""
    return shorten(question, TITLE_FROM_QUESTION_LENGTH)


def usage_source(generation_id: int, created_at: dt.datetime) -> str:
    """Return how the usage ledger names the run of a model that wrote an answer.

    The ledger outlives the generations, and SQLite gives the keys of deleted rows out again: hence the time.
    """
    return f"generation:{generation_id}:{int(created_at.timestamp() * 1000)}"


class AnswerState(StrEnum):
    """Where an answer stands; all but the first are final, though an unfinished one can be continued."""

    STREAMING = "streaming"
    COMPLETE = "complete"
    STOPPED = "stopped"
    LENGTH = "length"
    FILTERED = "filtered"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def live(self) -> bool:
        """Whether text may still come."""
        return self is AnswerState.STREAMING

    @property
    def can_continue(self) -> bool:
        """Whether the rest of the answer can be asked for."""
        return self in {AnswerState.STOPPED, AnswerState.LENGTH, AnswerState.INTERRUPTED}
