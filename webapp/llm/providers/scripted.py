"""Scripted models: answers and failures on demand, for demonstrations and tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Final

from webapp.llm.errors import Aborted, ProviderError, ProviderErrorKind
from webapp.llm.rules import ChatRequest, Delta, FinishReason, Usage

DEFAULT_DELAY_SECONDS: Final = 0.02
_PIECE: Final = 6

SHOWCASE: Final = """\
# What an answer can hold

A paragraph with **bold**, *emphasis*, `code` and a [link](https://example.com).

```python
def begin_immediate(connection):
    # Writers queue here.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
```

| Situation | Deferred | Immediate |
|---|:--|--:|
| Read only | never blocks | 1 |
| Two writers | one may fail | 2 |

With arrival rate $\\lambda$ and hold time $s$ the mean wait is

$$W = \\frac{\\lambda s^2}{2(1 - \\lambda s)}$$

1. Make no call inside a transaction.
2. Set the time-out on *every* connection.

> A quotation.

**注意：**后面的文字要正常显示，中文和 English 之间有间隔。
"""
THOUGHTS: Final = "The question is simple. I should answer in one sentence, and say why."
LONG: Final = " ".join(f"word{number}" for number in range(400)) + "."


@dataclass(frozen=True, slots=True)
class Script:
    """What a scripted model does: think, write, then end or fail."""

    text: str = ""
    thoughts: str = ""
    finish: FinishReason | None = "stop"
    error: ProviderErrorKind | None = None
    retryable: bool = False
    stall: bool = False
    slow: float = 1.0


SCRIPTS: Final[dict[str, Script]] = {
    "scripted-echo": Script(),
    "scripted-markdown": Script(SHOWCASE),
    "scripted-slow": Script(LONG, slow=3.0),
    "scripted-thinking": Script("Yes, because reads dominate.", THOUGHTS),
    "scripted-length": Script("This answer is cut", finish="length"),
    "scripted-filtered": Script("This answer is", finish="filtered"),
    "scripted-truncated": Script("This answer breaks", finish=None, error=ProviderErrorKind.TRUNCATED),
    "scripted-stall": Script("This answer hangs", stall=True),
    "scripted-fail-midway": Script("This answer fails", finish=None, error=ProviderErrorKind.UNAVAILABLE),
    "scripted-fail-auth": Script(finish=None, error=ProviderErrorKind.AUTH),
    "scripted-rate-limited": Script(finish=None, error=ProviderErrorKind.RATE_LIMITED, retryable=True),
    "scripted-empty": Script(),
}


class ScriptedProvider:
    """Plays the script that the model's name says."""

    name = "scripted"
    takes: frozenset[str] = frozenset()

    def __init__(self, delay_seconds: float = DEFAULT_DELAY_SECONDS) -> None:
        self._delay = delay_seconds

    def open(self, request: ChatRequest) -> ScriptedStream:
        """Return the stream of the script; an unknown name is rejected when it is read."""
        return ScriptedStream(request, self._delay)

    def close(self) -> None:
        """Close nothing: a script holds no connection."""


@dataclass(slots=True)
class ScriptedStream:
    """A script being played."""

    keeps_what_comes: ClassVar = False

    request: ChatRequest
    delay_seconds: float
    _aborted: threading.Event = field(default_factory=threading.Event)

    def __iter__(self) -> Iterator[list[Delta]]:
        """Yield the pieces at the script's pace."""
        script = SCRIPTS.get(self.request.model)
        if script is None:
            raise ProviderError(ProviderErrorKind.REJECTED, f"no script {self.request.model}")
        text = script.text
        if self.request.model == "scripted-echo":
            text = self.request.messages[-1].content
        for piece in _pieces(script.thoughts):
            self._pause(script.slow)
            yield [Delta(reasoning=piece)]
        for piece in _pieces(text):
            self._pause(script.slow)
            yield [Delta(text=piece)]
        if script.stall:
            self._aborted.wait()
            raise Aborted
        if script.error is not None:
            raise ProviderError(script.error, "as scripted", retryable=script.retryable)
        yield [Delta(finish_reason=script.finish, usage=self._usage(text))]

    def abort(self) -> None:
        """End the script."""
        self._aborted.set()

    def close(self) -> None:
        """Release nothing: a script holds no connection."""
        self._aborted.set()

    def _pause(self, slow: float) -> None:
        if self._aborted.wait(self.delay_seconds * slow):
            raise Aborted

    def _usage(self, text: str) -> Usage:
        asked = sum(len(message.content.split()) for message in self.request.messages)
        return Usage(prompt_tokens=max(1, asked), completion_tokens=max(1, len(text.split())))


def _pieces(text: str) -> list[str]:
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
