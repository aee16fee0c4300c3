"""What readers in this process see of one answer: its committed text, as ready-made SSE frames.

A frame is built once and sent to every reader. Finished Markdown blocks replace the raw tail as HTML, so that
the work is linear in the text. Without readers nothing is rendered.
"""

from __future__ import annotations

import html
import json
import logging
import threading
from dataclasses import dataclass, field
from typing import Final

from webapp.chat.live.position import Position
from webapp.chat.rules import RETRY_MILLISECONDS, AnswerState
from webapp.lib import markdown, offload, sse

log = logging.getLogger(__name__)

FRAMES_KEPT: Final = 256
OFFLOAD_FROM_CHARACTERS: Final = 2_000


@dataclass(slots=True)
class Reader:
    """One open stream: the place it has reached, and the bell that wakes it."""

    login_session_id: int | None
    user_id: int
    bell: threading.Event = field(default_factory=threading.Event)
    cursor: int = 0
    position: Position = field(default_factory=Position)
    quiet: bool = True
    dismissed: bool = False
    revoked: bool = False

    def __hash__(self) -> int:
        """Readers are told apart by identity."""
        return id(self)


@dataclass(frozen=True, slots=True)
class _Frame:
    data: bytes
    position: Position


class Blocks:
    """The finished blocks of a growing text and their HTML, each rendered once and only when asked for."""

    def __init__(self) -> None:
        self._splitter = markdown.BlockSplitter()
        self._fed = 0
        self._ends: list[int] = []
        self._html: list[str] = []
        self._rest: int | None = None

    @property
    def start(self) -> int:
        """Where the open block begins; once the text has ended, where the last open block began."""
        if self._rest is not None:
            return self._rest
        return self._ends[-1] if self._ends else 0

    def advance(self, text: str) -> bool:
        """Take in what the text has gained; tell whether that finished a block."""
        ends = self._splitter.feed(text[self._fed :])
        self._fed = len(text)
        self._ends += ends
        return bool(ends)

    def finish(self, text: str) -> None:
        """Take in the end of the text: what was open is finished with it."""
        if self._rest is None:
            self.advance(text)
            self._rest = self.start
            self._ends += self._splitter.finish()

    def html(self, text: str, after: int = 0, until: int | None = None) -> str:
        """Return the HTML of the finished blocks that end after a place, and not beyond another."""
        for number in range(len(self._html), len(self._ends)):
            start = self._ends[number - 1] if number else 0
            self._html.append(_render(text[start : self._ends[number]]))
        last = len(text) if until is None else until
        blocks = zip(self._ends, self._html, strict=True)
        return "".join(block for end, block in blocks if after < end <= last)


def _render(source: str) -> str:
    """Render a block, a long one off the event loop; a fault in the renderer must not end the journal."""
    try:
        if len(source) > OFFLOAD_FROM_CHARACTERS:
            return offload.run(markdown.render_block, source)
        return markdown.render_block(source)
    except Exception:
        log.exception("block not rendered", extra={"characters": len(source)})
        return f"<pre>{html.escape(source)}</pre>"


def open_block_start(text: str) -> int:
    """Return where the open block of a text begins, as a reader who has just that text knows it."""
    blocks = Blocks()
    blocks.advance(text)
    return blocks.start


class Feed:
    """The committed part of an answer; one writer (journal or follower), any number of readers."""

    def __init__(self, text: str = "", reasoning: str = "") -> None:
        self.text = text
        self.reasoning = reasoning
        self.state = AnswerState.STREAMING
        self.waiting_seconds = 0
        self.readers: set[Reader] = set()
        self._blocks = Blocks()
        self._frames: list[_Frame] = []
        self._first_frame = 0

    @property
    def position(self) -> Position:
        """How far the answer has come."""
        return Position(len(self.text), len(self.reasoning), ended=not self.state.live)

    # -- the writer's side -------------------------------------------------------------------------------

    def add_text(self, chunk: str) -> None:
        """Append committed text."""
        self.text += chunk
        self.waiting_seconds = 0
        if not self.readers:
            return
        start = self._blocks.start
        if self._blocks.advance(self.text):
            self._push("block", self._block_data(start))
        else:
            self._push("delta", {"t": chunk})

    def add_reasoning(self, chunk: str) -> None:
        """Append committed reasoning."""
        self.reasoning += chunk
        if self.readers:
            self._push("reasoning", {"t": chunk})

    def add_wait(self, seconds: int) -> None:
        """Note that the provider asked to wait."""
        self.waiting_seconds = seconds
        if self.readers:
            self._push("waiting", {"seconds": seconds})

    def finish(self, state: AnswerState) -> None:
        """Note the end; nothing follows it."""
        self.state = state
        if self.readers:
            self._push("done", self._done())

    def ring(self) -> None:
        """Wake every reader."""
        for reader in tuple(self.readers):
            reader.bell.set()

    # -- the readers' side -------------------------------------------------------------------------------

    def join(self, reader: Reader, position: Position | None) -> bytes:
        """Add a reader and return what brings it from its position, or from nothing, to the present."""
        if not self.readers:
            self._forget_frames()
            self._blocks.advance(self.text)
        self.readers.add(reader)
        return self.catch_up(reader, position)

    def leave(self, reader: Reader) -> None:
        """Forget a reader."""
        self.readers.discard(reader)

    def since(self, reader: Reader) -> bytes:
        """Return the frames the reader has not had yet, and move it on."""
        index = reader.cursor - self._first_frame
        if index < 0:  # it was slower than the frames are kept
            return self.catch_up(reader, reader.position)
        frames = self._frames[index:]
        if not frames:
            return b""
        reader.cursor += len(frames)
        reader.position = frames[-1].position
        return frames[0].data if len(frames) == 1 else b"".join(frame.data for frame in frames)

    def catch_up(self, reader: Reader, position: Position | None) -> bytes:
        """Return what leads from a position to the present; a snapshot where the position is of no use."""
        reader.cursor = self._first_frame + len(self._frames)
        reader.position = self.position
        self._blocks.advance(self.text)
        here = self.position
        if position is None or position.text > here.text or position.reasoning > here.reasoning:
            parts = [self._frame("snapshot", self._snapshot())]
        else:
            parts = self._missing(position)
        if not self.state.live:
            parts.append(self._frame("done", self._done()))
        return b"".join(parts)

    def _missing(self, position: Position) -> list[bytes]:
        parts: list[bytes] = []
        if position.reasoning < len(self.reasoning):
            parts.append(self._frame("reasoning", {"t": self.reasoning[position.reasoning :]}))
        if self.waiting_seconds:
            parts.append(self._frame("waiting", {"seconds": self.waiting_seconds}))
        known_start = open_block_start(self.text[: position.text])
        if known_start < self._blocks.start:
            parts.append(self._frame("block", self._block_data(known_start)))
        elif position.text < len(self.text):
            parts.append(self._frame("delta", {"t": self.text[position.text :]}))
        return parts

    def _snapshot(self) -> dict[str, object]:
        return {
            "state": self.state.value,
            "html": self._blocks.html(self.text, until=self._blocks.start),
            "tail": self.text[self._blocks.start :],
            "reasoning": self.reasoning,
            "waiting": self.waiting_seconds,
        }

    def _block_data(self, after: int) -> dict[str, object]:
        start = self._blocks.start
        return {"html": self._blocks.html(self.text, after, start), "tail": self.text[start:]}

    def _done(self) -> dict[str, object]:
        """Return the end with the HTML of what was open: in one event, so that no reader has only half of it."""
        self._blocks.finish(self.text)
        return {"state": self.state.value, "html": self._blocks.html(self.text, self._blocks.start)}

    def _push(self, event: str, data: dict[str, object]) -> None:
        self._frames.append(_Frame(self._frame(event, data), self.position))
        if len(self._frames) > FRAMES_KEPT:
            del self._frames[: FRAMES_KEPT // 2]
            self._first_frame += FRAMES_KEPT // 2

    def _forget_frames(self) -> None:
        self._first_frame += len(self._frames)
        self._frames.clear()

    def _frame(self, event: str, data: dict[str, object]) -> bytes:
        place = Position(len(self.text), len(self.reasoning), ended=event == "done")
        retry_ms = RETRY_MILLISECONDS if event == "snapshot" else None
        return sse.frame(event, json.dumps(data, ensure_ascii=False), str(place), retry_ms)
