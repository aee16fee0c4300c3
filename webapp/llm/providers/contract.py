"""What every provider's adapter satisfies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from webapp.llm.rules import ChatRequest, Delta

# What a request can ask for beside its messages; `images` stands for messages with pictures.
EVERY_OPTION: Final = frozenset(
    {
        "frequency_penalty",
        "images",
        "logit_bias",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "tool_choice",
        "tools",
    }
)


class AnswerStream(Protocol):
    """An answer that is being read from a provider."""

    @property
    def keeps_what_comes(self) -> bool:
        """Whether what is sent while nobody reads waits in a connection, so that reading can be put off a little."""

    def __iter__(self) -> Iterator[list[Delta]]:
        """Yield the deltas of one socket read at a time, never an empty list; raises ProviderError or Aborted."""

    def abort(self) -> None:
        """End the stream from any thread; a blocked reader wakes at once and raises Aborted."""

    def close(self) -> None:
        """Release the connection; harmless when repeated."""


class Provider(Protocol):
    """One adapter, bound to its settings."""

    name: str
    takes: frozenset[str]
    """Which of EVERY_OPTION it can pass on."""

    def open(self, request: ChatRequest) -> AnswerStream:
        """Return the stream of an answer; the connection is made when it is iterated."""

    def close(self) -> None:
        """Close what is idle; streams under way go on."""
