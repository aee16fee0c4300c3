"""The producer of an answer: pulls text from the provider, independent of any request."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from flask import Flask

from webapp.chat import rules
from webapp.chat.live.endings import Ending
from webapp.chat.live.journal import Journal, LiveAnswer
from webapp.chat.rules import AnswerState
from webapp.lib import clock
from webapp.lib.turns import Turns
from webapp.llm import service as llm
from webapp.llm.errors import Aborted, ProviderError
from webapp.llm.providers.contract import AnswerStream
from webapp.llm.rules import ChatRequest, Delta, FinishReason, Usage
from webapp.llm.service import Price

log = logging.getLogger(__name__)

FLOOD_CHARACTERS: Final = 150  # in one read, from which on the next one is not put off

# A provider's failure after some text leaves an answer that can be continued.
_BROKEN_OFF = AnswerState.INTERRUPTED
_STATES: dict[FinishReason, AnswerState] = {
    "stop": AnswerState.COMPLETE,
    "tool_calls": AnswerState.COMPLETE,
    "length": AnswerState.LENGTH,
    "filtered": AnswerState.FILTERED,
}


@dataclass(slots=True)
class Producer:
    """One run of a model for one answer."""

    app: Flask
    journal: Journal
    answer: LiveAnswer
    request: ChatRequest
    stream: AnswerStream | None = None
    stopped: bool = False
    halted: bool = False
    characters: int = 0
    new_text: list[str] = field(default_factory=list)
    ending: Ending = field(default_factory=lambda: Ending(AnswerState.INTERRUPTED, Usage(0, 0)))
    usage: Usage | None = None
    price: Price | None = None
    finish_reason: FinishReason | None = None
    began: float = field(default_factory=clock.monotonic)

    def run(self) -> None:
        """Write the answer to its end, whatever that is; always leaves an ending with the journal."""
        try:
            with self.app.app_context():
                self.price = llm.price_of(self.request.model)
                self.stream = llm.open_stream(self.request)
                if self.stopped or self.halted:
                    raise Aborted
                self._pull(self.stream)
            self._conclude()
        except Aborted:
            self.ending.state = AnswerState.STOPPED if self.stopped else AnswerState.INTERRUPTED
        except ProviderError as error:
            self._fail(error.kind.value)
            log.warning("provider failed", extra={"kind": error.kind.value, "detail": error.detail})
        except Exception:
            self._fail("internal")
            log.exception("producer failed")
        finally:
            self._close()
            self.ending.usage = self.usage or self._estimate()
            self.ending.cost_micros = self._cost()
            self.ending.finished_at = clock.utc_now()
            self.journal.end(self.answer, self.ending)

    def give_up(self) -> None:
        """End an answer that cannot be begun."""
        self._fail("internal")
        self.journal.end(self.answer, self.ending)

    def stop(self) -> None:
        """End the answer at the person's wish; closes the provider's connection at once."""
        self.stopped = True
        self._abort()

    def halt(self) -> None:
        """End the answer because this process goes down; it can be continued later."""
        self.halted = True
        self._abort()

    def _close(self) -> None:
        try:
            if self.stream is not None:
                self.stream.close()
        except Exception:  # the answer ends all the same
            log.exception("stream not closed")

    def _abort(self) -> None:
        if self.stream is not None:
            self.stream.abort()

    def _pull(self, stream: AnswerStream) -> None:
        turns = Turns()
        for deltas in stream:
            turns.take()
            text, reasoning = self._take(deltas)
            if text or reasoning:
                self.journal.add(self.answer, text, reasoning)
            if self.characters > rules.ANSWER_MAX_LENGTH or self._ran_too_long():
                self.finish_reason = "length"
                return
            if stream.keeps_what_comes and len(text) + len(reasoning) < FLOOD_CHARACTERS:
                self._rest()

    def _rest(self) -> None:
        """Read on when the next tick is due, unless the end may already be on its way."""
        if self.finish_reason is None and self.characters:
            self.journal.rest(self.answer)

    def _take(self, deltas: Iterable[Delta]) -> tuple[str, str]:
        text = reasoning = ""
        for delta in deltas:
            text += delta.text
            reasoning += delta.reasoning
            if delta.usage is not None:
                self.usage = delta.usage
            if delta.finish_reason is not None:
                self.finish_reason = delta.finish_reason
            if delta.waiting_seconds is not None:
                self.journal.add_wait(self.answer, delta.waiting_seconds)
        if text or reasoning:
            self._note_times(text)
            self.characters += len(text) + len(reasoning)
            self.new_text.append(reasoning + text)
        return text, reasoning

    def _note_times(self, text: str) -> None:
        if self.ending.first_token_at is None:
            self.ending.first_token_at = clock.utc_now()
            self.began = clock.monotonic()
        if (
            text
            and self.ending.reasoning_ms is None
            and (self.answer.reasoning or self.answer.feed.reasoning)
        ):
            self.ending.reasoning_ms = round((clock.monotonic() - self.began) * 1000)

    def _ran_too_long(self) -> bool:
        return clock.monotonic() - self.began > rules.ANSWER_MAX_SECONDS

    def _conclude(self) -> None:
        self.ending.state = _STATES.get(self.finish_reason or "stop", AnswerState.COMPLETE)
        if not self.new_text and self.ending.state is AnswerState.COMPLETE:
            self._fail("empty")

    def _fail(self, kind: str) -> None:
        has_text = bool(self.new_text or self.answer.feed.text)
        self.ending.state = _BROKEN_OFF if has_text else AnswerState.FAILED
        self.ending.error_kind = kind

    def _cost(self) -> int | None:
        return self.price.cost_micros(self.ending.usage) if self.price else None

    def _estimate(self) -> Usage:
        """Return what was taken where the provider did not say; an answer of which nothing came took nothing."""
        if self.ending.state is AnswerState.FAILED:
            return Usage(0, 0, estimated=True)
        return llm.estimate_usage(self.request, "".join(self.new_text))


def wait_until_finished(answers: Iterable[LiveAnswer], seconds: float) -> None:
    """Wait until the answers are committed, or for so long."""
    deadline = time.monotonic() + seconds
    for answer in answers:
        answer.finished.wait(max(0.0, deadline - time.monotonic()))
