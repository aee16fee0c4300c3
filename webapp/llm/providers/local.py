"""The embedded model: a process of this machine, asked as any OpenAI-compatible server is, within its bounds."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from webapp.config import Settings
from webapp.lib.outbound.client import Reply
from webapp.lib.outbound.errors import OutboundError
from webapp.lib.outbound.exchange import Exchange
from webapp.llm.errors import Aborted, ProviderError, ProviderErrorKind
from webapp.llm.local import endpoint
from webapp.llm.local.endpoint import LocalEndpoint
from webapp.llm.providers.breaker import Breaker
from webapp.llm.providers.openai_compatible import OpenAICompatibleProvider
from webapp.llm.providers.streaming import HttpStream, Patience
from webapp.llm.rules import ChatMessage, ChatRequest, Delta

_MESSAGE_TOKENS: Final = 8  # what the template puts around a message
_SHORTEST_ANSWER: Final = 128


class LocalProvider:
    """Asks the embedded model, wherever its supervisor says it listens now."""

    name = "local"
    # Not tools: the template of a small model leaves them out without a word.
    takes = frozenset(
        {"frequency_penalty", "logit_bias", "presence_penalty", "response_format", "seed", "stop"}
    )

    def __init__(self, settings: Settings, patience: Patience) -> None:
        self._settings = settings
        self._patience = patience
        self._breaker = Breaker()
        self._queue = Queue()
        self._reached: tuple[LocalEndpoint, OpenAICompatibleProvider] | None = None

    def open(self, request: ChatRequest) -> LocalStream:
        """Return the stream of an answer; it waits for its turn when it is read."""
        exchange = Exchange()
        stream = HttpStream(lambda e: self._send(request, e), self._patience, self._breaker, exchange)
        return LocalStream(self, stream, Turn(exchange))

    def close(self) -> None:
        """Close what is idle."""
        if self._reached is not None:
            self._reached[1].close()

    def wait_for(self, turn: Turn) -> None:
        """Wait until a slot of the model is free; raises ProviderError or Aborted."""
        self._queue.enter(turn, self._where().slots, self._patience.first_token)

    def leave(self, turn: Turn) -> None:
        """Give the slot back; harmless when none was taken."""
        self._queue.leave(turn)

    def _send(self, request: ChatRequest, exchange: Exchange) -> Reply:
        where = self._where()
        if self._reached is None or self._reached[0] != where:
            origin = urlsplit(where.base_url).netloc
            provider = OpenAICompatibleProvider(
                where.base_url, where.api_key, self._patience, allow_hosts=(origin,)
            )
            self._reached = (where, provider)
        return self._reached[1].send(within_bounds(request, where), exchange)

    def _where(self) -> LocalEndpoint:
        where = endpoint.endpoint(self._settings)
        if where is None:
            raise ProviderError(ProviderErrorKind.UNAVAILABLE, "the embedded model is not running")
        return where


@dataclass(slots=True)
class Turn:
    """One request's place in the queue."""

    exchange: Exchange
    bell: threading.Event = field(default_factory=threading.Event)
    has_slot: bool = False


class Queue:
    """As many requests at a time as the model has slots; the others wait in the order they came.

    The model's own queue has no bound and cannot be left.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0
        self._waiting: deque[Turn] = deque()

    def enter(self, turn: Turn, slots: int, seconds: float) -> None:
        """Wait for a slot; raises ProviderError when none came free in time, Aborted when the request was aborted."""
        with self._lock:
            if self._taken < slots:
                self._taken += 1
                turn.has_slot = True
                return
            self._waiting.append(turn)
        turn.bell.wait(seconds)
        with self._lock:
            if not turn.has_slot:
                self._waiting.remove(turn)
        if turn.exchange.aborted:
            raise Aborted
        if not turn.has_slot:
            raise ProviderError(ProviderErrorKind.RATE_LIMITED, "every slot of the embedded model is taken")

    def leave(self, turn: Turn) -> None:
        """Hand the slot of a request to the one that waits longest."""
        with self._lock:
            if not turn.has_slot:
                return
            turn.has_slot = False
            if self._waiting:
                following = self._waiting.popleft()
                following.has_slot = True
                following.bell.set()
            else:
                self._taken -= 1


class LocalStream:
    """An answer of the embedded model."""

    keeps_what_comes = True

    def __init__(self, provider: LocalProvider, stream: HttpStream, turn: Turn) -> None:
        self._provider = provider
        self._stream = stream
        self._turn = turn

    def __iter__(self) -> Iterator[list[Delta]]:
        """Wait for a slot, then yield what each read brings."""
        try:
            self._turn.exchange.check()
            self._provider.wait_for(self._turn)
            yield from self._stream
        except OutboundError:
            raise Aborted from None
        finally:
            self.close()

    def abort(self) -> None:
        """End the stream from any thread, also while it waits."""
        self._stream.abort()
        self._turn.bell.set()

    def close(self) -> None:
        """Release connection and slot."""
        self._stream.close()
        self._provider.leave(self._turn)


def within_bounds(request: ChatRequest, where: LocalEndpoint) -> ChatRequest:
    """Return the request with as many of its last messages as fit, and an answer no longer than what is left."""
    room = where.context_tokens - min(where.max_tokens, request.max_tokens or where.max_tokens)
    room = max(room, where.context_tokens // 2)
    kept: list[ChatMessage] = []
    used = 0
    for message in reversed(request.messages):
        used += _most_tokens(message)
        if kept and used > room:
            used -= _most_tokens(message)
            break
        kept.append(message)
    while len(kept) > 1 and kept[-1].role == "assistant":
        used -= _most_tokens(kept.pop())
    left = max(where.context_tokens - used, _SHORTEST_ANSWER)
    answer = min(request.max_tokens or where.max_tokens, where.max_tokens, left)
    return replace(request, model=where.model, messages=tuple(reversed(kept)), max_tokens=answer)


def _most_tokens(message: ChatMessage) -> int:
    """Return about the most a small English vocabulary makes of a message: bytes, outside of ASCII."""
    size = len(message.content.encode())
    beyond = size - sum(map(str.isascii, message.content))
    return math.ceil((size - beyond) / 3) + beyond + _MESSAGE_TOKENS
