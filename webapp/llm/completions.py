"""Answers for programs: read by whoever asked, as they come, and ended with them.

Unlike a chat's answer it is stored nowhere, and the provider's connection is closed when the program leaves.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator
from typing import Any, Final

from flask import current_app
from flask_babel import gettext as _

from webapp.database import db
from webapp.errors import Invalid, Unavailable
from webapp.lib import clock, ids
from webapp.lib.turns import Turns
from webapp.llm import asking, failures, rules
from webapp.llm.calls import Call, Calls, End, Handle, Ticket, calls
from webapp.llm.errors import Aborted, ProviderError
from webapp.llm.providers.contract import AnswerStream
from webapp.llm.rules import ChatRequest, Delta, Ending, FinishReason, ModelInfo, Usage

log = logging.getLogger(__name__)

RESTART_SECONDS: Final = 2
_ENDINGS: Final[dict[FinishReason, Ending]] = {
    "stop": Ending.COMPLETE,
    "tool_calls": Ending.COMPLETE,
    "length": Ending.LENGTH,
    "filtered": Ending.FILTERED,
}


class Completion:
    """One answer. Iterate it once, in any thread and without any context; `close` it in any case.

    Iterating raises ProviderError, or Aborted after `abort`. The entry in the ledger is written by `close`.
    """

    def __init__(
        self, ledger: Calls, call: Call, request: ChatRequest, stream: AnswerStream, ticket: Ticket
    ) -> None:
        self.finish_reason: FinishReason | None = None
        self.usage: Usage | None = None
        self.keeps_what_comes = stream.keeps_what_comes
        self._ledger = ledger
        self._call = call
        self._request = request
        self._stream = stream
        self._state = Ending.STOPPED
        self._written: list[str] = []
        self._characters = 0
        self._first_token_at: dt.datetime | None = None
        self.halted = False
        self._closed = False
        ledger.live[call.source] = Handle(self.halt, self.abort, ticket)

    def __iter__(self) -> Iterator[list[Delta]]:
        """Yield what each read of the provider brings."""
        began, turns = clock.monotonic(), Turns()
        try:
            for deltas in self._stream:
                turns.take()
                self._note(deltas)
                yield deltas
                too_long = self._characters > rules.ANSWER_MAX_LENGTH
                if too_long or clock.monotonic() - began > rules.ANSWER_MAX_SECONDS:
                    self.finish_reason = "length"
                    break
            self._state = _ENDINGS[self.finish_reason or "stop"]
        except ProviderError as error:
            self._state = Ending.INTERRUPTED if self._written else Ending.FAILED
            log.warning("provider failed", extra={"kind": error.kind.value, "detail": error.detail})
            raise
        except (Aborted, GeneratorExit):
            self._state = Ending.INTERRUPTED if self.halted else Ending.STOPPED
            raise
        except BaseException:  # a fault of ours, or the end of this process
            self._state = Ending.INTERRUPTED if self._written else Ending.FAILED
            raise

    def abort(self) -> None:
        """End the answer from any thread, because whoever asked for it has left."""
        self._stream.abort()

    def halt(self) -> None:
        """End the answer from any thread, because this process goes down."""
        self.halted = True
        self._stream.abort()

    def close(self) -> None:
        """Close the provider's connection and write the entry in the ledger; harmless when repeated."""
        if self._closed:
            return
        self._closed = True
        try:
            self._stream.close()
        finally:
            self.usage = self.usage or self._estimate()
            self._ledger.end(self._call, End(self._state, self.usage, self._first_token_at))

    def _note(self, deltas: list[Delta]) -> None:
        for delta in deltas:
            if delta.text or delta.reasoning or delta.tool_calls:
                if self._first_token_at is None:
                    self._first_token_at = clock.utc_now()
                self._take(delta)
            if delta.usage is not None:
                self.usage = delta.usage
            if delta.finish_reason is not None:
                self.finish_reason = delta.finish_reason

    def _take(self, delta: Delta) -> None:
        written = delta.reasoning + delta.text
        for call in delta.tool_calls or ():
            written += str((call.get("function") or {}).get("arguments") or "")
        self._written.append(written)
        self._characters += len(written)

    def _estimate(self) -> Usage:
        """Return what was taken where the provider did not say; an answer of which nothing came took nothing."""
        if self._state is Ending.FAILED:
            return Usage(0, 0, estimated=True)
        return asking.estimate_usage(self._request, "".join(self._written))


class Gathered:
    """Puts the pieces of an answer together."""

    def __init__(self) -> None:
        self.text = ""
        self.reasoning = ""
        self.calls: dict[int, dict[str, Any]] = {}

    def take(self, deltas: Iterable[Delta]) -> None:
        """Take what one read has brought."""
        for delta in deltas:
            self.text += delta.text
            self.reasoning += delta.reasoning
            for piece in delta.tool_calls or ():
                self._take_call(piece)

    def _take_call(self, piece: dict[str, Any]) -> None:
        call = self.calls.setdefault(
            piece["index"], {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        )
        call["id"] = piece.get("id") or call["id"] or f"call_{ids.public_id()}"
        for name, value in (piece.get("function") or {}).items():
            if name in call["function"] and isinstance(value, str):
                call["function"][name] += value


def gather(completion: Completion) -> Gathered:
    """Return a whole answer, and close it; raises a refusal for what fails."""
    gathered = Gathered()
    try:
        for deltas in completion:
            gathered.take(deltas)
    except ProviderError as error:
        raise failures.refusal_of(error) from error
    except Aborted:
        raise failures.ended_here(halted=completion.halted) from None
    finally:
        completion.close()
    return gathered


def complete(user_id: int, request: ChatRequest, ticket: Ticket | None = None) -> Completion:
    """Begin an answer for a user, and let go of the database; it ends within seconds of what the ticket names.

    Raises NotFound for a model that is not offered, Invalid for what its provider does not take, TooMany where as many
    answers are being written for the user as may be, Unavailable while this process goes down. Commits.
    """
    if current_app.extensions.get("draining"):
        sentence = _("The server is restarting. Send this again in a moment.")
        raise Unavailable(sentence, retry_after_seconds=RESTART_SECONDS)
    check_options(asking.get_model(request.model), request)
    asked = asking.estimate_usage(request, "").prompt_tokens
    ledger = calls()
    call = ledger.begin(user_id, request.model, asking.price_of(request.model), asked)
    try:
        stream = asking.open_stream(request)
    except BaseException:
        ledger.end(call, End(Ending.FAILED, Usage(0, 0, estimated=True), None))
        raise
    finally:
        db.session.rollback()  # gives the connection back
    return Completion(ledger, call, request, stream, ticket or Ticket())


def check_options(model: ModelInfo, request: ChatRequest) -> None:
    """Raise Invalid for the first thing a request asks for that the model's provider does not take."""
    takes = asking.takes(model)
    for name in request.options:
        if name not in takes:
            raise Invalid(_("This model does not take %(name)s.", name=name), field=name, code="unsupported")
    for message in request.messages:
        if message.role == "tool" and "tools" not in takes:
            raise Invalid(_("This model does not use tools."), field="messages", code="unsupported")
        if isinstance(message.fields.get("content"), list) and "images" not in takes:
            raise Invalid(_("This model does not take pictures."), field="messages", code="unsupported")
