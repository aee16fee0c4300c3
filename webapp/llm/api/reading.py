"""Streaming an answer to the program that waits for it, as long as it does."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, request

from webapp.errors import AppError
from webapp.lib import sse
from webapp.llm import failures
from webapp.llm.api import openai_answers as answers
from webapp.llm.api.openai_answers import DONE, Chunks
from webapp.llm.completions import Completion
from webapp.llm.errors import Aborted, ProviderError
from webapp.llm.rules import Delta, Usage
from webapp.web.departures import Line, departures, line_of
from webapp.web.wire import Wire, limit_sending, wire_of


def streamed(completion: Completion, chunks: Chunks) -> Response:
    """Return the response that streams an answer; what fails before its first word is refused with its status."""
    body = _Body(completion, chunks)
    body.begin()
    limit_sending(request.environ)
    response = Response(body, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


class _Body:
    """The chunks of an answer; `close` is called by the server however the stream ends."""

    def __init__(self, completion: Completion, chunks: Chunks) -> None:
        self._completion, self._chunks = completion, chunks
        self._reads: Iterator[list[Delta]] = iter(completion)
        self._first = b""
        self._line: Line | None = line_of(request.environ, completion.abort)
        self._wire: Wire | None = wire_of(request.environ)
        self._may_keep_alive = False
        self._departures = departures()
        if self._line is not None:
            self._line.idle = self._keep_alive
            self._departures.watch(self._line)

    def begin(self) -> None:
        """Wait for the first words; raises a refusal where they do not come."""
        try:
            while not self._first:
                self._first = self._chunks.of(next(self._reads))
        except StopIteration:
            pass
        except ProviderError as error:
            self.close()
            raise failures.refusal_of(error) from error
        except Aborted:
            self.close()
            raise failures.ended_here(halted=self._completion.halted) from None
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield self._chunks.first() + self._first
            self._may_keep_alive = True
            try:
                for deltas in self._reads:
                    if data := self._chunks.of(deltas):
                        if self._wire is None:
                            yield data
                        else:
                            self._send(self._wire, data)
            finally:
                self._rest()
            yield self._ending()
        except ProviderError as error:
            yield self._broken(failures.refusal_of(error))
        except Aborted:
            yield self._broken(failures.ended_here(halted=self._completion.halted))
        finally:
            self.close()

    def _send(self, wire: Wire, data: bytes) -> None:
        """Send a piece; raises OSError where the program has left, or does not read."""
        if self._line is not None:
            self._line.moved()
        self._may_keep_alive = False
        if wire.unsent:
            wire.finish()
        if not wire.send(data):
            wire.finish()
        self._may_keep_alive = True

    def _rest(self) -> None:
        """Leave the connection to the server again, between two pieces."""
        self._may_keep_alive = False
        if self._wire is not None and self._wire.unsent:
            self._wire.finish()

    def _ending(self) -> bytes:
        self.close()  # only then it is known what the answer took
        usage = self._chunks.usage(self._completion.usage or Usage(0, 0, estimated=True))
        return self._chunks.last(self._completion.finish_reason) + usage + DONE

    def _broken(self, error: AppError) -> bytes:
        return answers.error_chunk(error)

    def _keep_alive(self) -> None:
        """Send a line that says nothing, while nothing else is being sent: proxies end what is silent for long."""
        if self._may_keep_alive and self._wire is not None and not self._wire.unsent:
            self._wire.send(sse.comment())

    def close(self) -> None:
        """End the answer, if it has not ended."""
        if self._line is not None:
            self._departures.forget(self._line)
        self._completion.close()
