"""Counting what is asked of providers, and how it went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from webapp import metrics
from webapp.llm.errors import Aborted, ProviderError
from webapp.llm.providers.contract import AnswerStream
from webapp.llm.rules import Delta

CALLS: Final = "provider_calls_total"


class CountedStream:
    """An answer's stream that is counted by its end; costs nothing a token."""

    def __init__(self, stream: AnswerStream, provider: str) -> None:
        self._stream, self._provider = stream, provider
        self.keeps_what_comes = stream.keeps_what_comes

    def __iter__(self) -> Iterator[list[Delta]]:
        """Yield what the stream yields."""
        result = "left"  # nobody wanted the rest
        try:
            yield from self._stream
            result = "ok"
        except Aborted:
            result = "aborted"
            raise
        except ProviderError as error:
            result = error.kind.value
            raise
        finally:
            metrics.count(CALLS, provider=self._provider, result=result)

    def abort(self) -> None:
        """End the stream from any thread."""
        self._stream.abort()

    def close(self) -> None:
        """Release the connection."""
        self._stream.close()
