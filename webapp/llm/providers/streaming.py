"""An answer over HTTP: calls, retries before the first token, the three time-outs, and the end of it all."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from webapp import metrics
from webapp.lib import clock
from webapp.lib.outbound.client import Reply
from webapp.lib.outbound.connections import READ_BYTES
from webapp.lib.outbound.errors import OutboundError, Trouble
from webapp.lib.outbound.exchange import Exchange
from webapp.llm.errors import Aborted, ProviderError, ProviderErrorKind
from webapp.llm.providers.breaker import Breaker
from webapp.llm.providers.events import EventReader
from webapp.llm.providers.refusals import Filtered
from webapp.llm.rules import Delta

MAX_CALLS: Final = 3
MAX_WAIT_SECONDS: Final = 30.0
TOLD_WAIT_SECONDS: Final = 1.0  # shorter waits are not worth a word
ANSWER_BYTES: Final = 67_108_864
ENDING_SECONDS: Final = 5.0  # how long usage and end marker may take once the finish reason is there

_KINDS: Final = {
    Trouble.FORBIDDEN: ProviderErrorKind.UNAVAILABLE,
    Trouble.UNREACHABLE: ProviderErrorKind.UNAVAILABLE,
    Trouble.TLS: ProviderErrorKind.UNAVAILABLE,
    Trouble.CONNECT_TIMEOUT: ProviderErrorKind.TIMEOUT,
    Trouble.TIMEOUT: ProviderErrorKind.TIMEOUT,
    Trouble.BROKEN: ProviderErrorKind.UNAVAILABLE,
}
_WORTH_ANOTHER_TRY: Final = {Trouble.UNREACHABLE, Trouble.BROKEN}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    connect: float
    first_token: float
    idle: float


class HttpStream:
    """An answer that is read from a provider over HTTP; `call` sends the request and returns the reply's head."""

    keeps_what_comes = True

    def __init__(
        self,
        call: Callable[[Exchange], Reply],
        patience: Patience,
        breaker: Breaker,
        exchange: Exchange | None = None,
    ) -> None:
        self._call = call
        self._patience = patience
        self._breaker = breaker
        self._exchange = exchange or Exchange()
        self._reply: Reply | None = None
        self._began = False

    def __iter__(self) -> Iterator[list[Delta]]:
        """Yield what each read brings; raises ProviderError or Aborted."""
        tries = self._breaker.enter()
        try:
            yield from self._tries()
        except OutboundError:  # while waiting for the next try
            raise Aborted from None
        except Filtered:
            self._breaker.succeeded()
            yield [Delta(finish_reason="filtered")]
        except ProviderError as error:
            self._breaker.failed(error.kind, tried=tries)
            raise
        finally:
            if tries:
                self._breaker.left()
            self.close()

    def abort(self) -> None:
        """End the stream from any thread."""
        self._exchange.abort()

    def close(self) -> None:
        """Release the connection."""
        if self._reply is not None:
            self._reply.close()
            self._reply = None

    def _tries(self) -> Iterator[list[Delta]]:
        for number in range(1, MAX_CALLS + 1):
            try:
                yield from self._try_once()
            except ProviderError as error:
                seconds = _wait_before_next(error, number)
                if self._began or seconds is None:
                    raise
            else:
                return
            metrics.count("provider_retries_total")
            if seconds >= TOLD_WAIT_SECONDS:
                yield [Delta(waiting_seconds=seconds)]
            self._exchange.pause(seconds)

    def _try_once(self) -> Iterator[list[Delta]]:
        try:
            self._reply = self._call(self._exchange)
            yield from self._read(self._reply)
        except OutboundError as error:
            raise self._in_provider_s_words(error) from error
        finally:
            self.close()

    def _read(self, reply: Reply) -> Iterator[list[Delta]]:
        events = EventReader()
        allowed, since, size = self._patience.first_token, clock.monotonic(), 0
        data = b"-"
        while data and not events.complete:
            try:
                data = reply.read()
            except OutboundError as error:
                if events.finish_reason is None or error.trouble is Trouble.ABORTED:
                    raise
                return  # all of the text is there; only usage or end marker never came
            size += len(data)
            delta = events.feed(data) if data and size <= ANSWER_BYTES else events.end()
            if delta is not None:
                self._begin()
                yield [delta]
                since = clock.monotonic()
                allowed = self._bound(
                    ENDING_SECONDS if events.finish_reason else self._patience.idle, allowed
                )
            if events.fault is not None:
                raise events.fault
            if delta is None and data:
                self._wait_on(allowed - (clock.monotonic() - since))
            if len(data) >= READ_BYTES // 2:
                time.sleep(0)  # a burst: others' turn
        reply.finish()

    def _begin(self) -> None:
        if not self._began:
            self._began = True
            self._breaker.succeeded()

    def _bound(self, seconds: float, before: float) -> float:
        if seconds != before:
            self._exchange.set_timeout(seconds)
        return seconds

    def _wait_on(self, seconds: float) -> None:
        """Go on waiting for the rest of the time: comment lines keep a connection, not an answer, alive."""
        if seconds <= 0:
            raise OutboundError(Trouble.TIMEOUT, "nothing but comments came")
        self._exchange.set_timeout(seconds)

    def _in_provider_s_words(self, error: OutboundError) -> Exception:
        if error.trouble is Trouble.ABORTED:
            return Aborted()
        kind = _KINDS[error.trouble]
        if self._began:
            kind = (
                ProviderErrorKind.STALLED if error.trouble is Trouble.TIMEOUT else ProviderErrorKind.TRUNCATED
            )
        return ProviderError(kind, str(error), retryable=error.trouble in _WORTH_ANOTHER_TRY)


def _wait_before_next(error: ProviderError, calls: int) -> float | None:
    """Return how long to wait before another call, None when there is to be none."""
    if not error.retryable or calls >= MAX_CALLS:
        return None
    if error.retry_after_seconds is not None:
        return error.retry_after_seconds if error.retry_after_seconds <= MAX_WAIT_SECONDS else None
    return 0.5 * calls * random.uniform(0.75, 1.25)  # noqa: S311 - spreads the tries
