"""What readers in this process see of one answer: its committed text, as ready-made SSE frames.

A frame is built once and sent to every reader. Finished Markdown blocks replace the raw tail as HTML, so that
the work is linear in the text. Without readers nothing is rendered.

Writer and readers may be in different threads. What changes text, frames and blocks together holds the feed's lock;
`since`, which every reader calls at every tick, does without one.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from webapp.chat.live.blocks import Blocks, open_block_start, render
from webapp.chat.live.position import Position
from webapp.chat.rules import RETRY_MILLISECONDS, AnswerState
from webapp.lib import sse

FRAMES_KEPT: Final = 256
_to_json = json.JSONEncoder(ensure_ascii=False).encode


class Wire(Protocol):
    """A connection that takes a piece without waiting; what remains of it the reader has to send."""

    unsent: bytes

    def send(self, data: bytes) -> bool:
        """Send a piece; tell whether all of it went."""


@dataclass(slots=True)
class Reader:
    """One open stream: the place it has reached, and the bell that wakes it.

    While it is `waiting`, the writer may send to its wire, if it has one, instead of waking it. One that does not
    want the frames made for pages has a way of its own to `take` what is new.
    """

    login_session_id: int | None
    user_id: int
    token_id: int | None = None
    take: Callable[[Feed], bytes] | None = None
    wire: Wire | None = None
    waiting: bool = False
    bell: threading.Event = field(default_factory=threading.Event)
    cursor: int = 0
    position: Position = field(default_factory=Position)
    quiet: bool = True
    dismissed: bool = False
    revoked: bool = False

    def __hash__(self) -> int:
        """Readers are told apart by identity."""
        return id(self)


class _Frame(NamedTuple):
    data: bytes
    position: Position


class Retired(Exception):
    """Nobody writes to this feed any more; there is a newer one."""


class Feed:
    """The committed part of an answer; one writer (journal or follower), any number of readers."""

    def __init__(self, text: str = "", reasoning: str = "") -> None:
        self.text = text
        self.reasoning = reasoning
        self.state = AnswerState.STREAMING
        self.waiting_seconds = 0
        self.readers: set[Reader] = set()
        self._pages = 0  # readers for which frames are made
        self._blocks = Blocks()
        self._frames: tuple[int, list[_Frame]] = (0, [])  # the number of the first one kept, and those kept
        self._retired = False
        self._lock = threading.Lock()

    @property
    def position(self) -> Position:
        """How far the answer has come."""
        return Position(len(self.text), len(self.reasoning), ended=not self.state.live)

    def is_behind(self, position: Position) -> bool:
        """Tell whether a reader claims to have been shown more than there is here."""
        return position.text > len(self.text) or position.reasoning > len(self.reasoning)

    # -- the writer's side -------------------------------------------------------------------------------

    def add_text(self, chunk: str) -> None:
        """Append committed text."""
        with self._lock:
            self.text += chunk
            self.waiting_seconds = 0
            if not self._pages:
                return
            start = self._blocks.start
            if self._blocks.advance(self.text):
                self._push("block", self._block_data(start))
            else:
                self._push("delta", {"t": chunk})

    def add_reasoning(self, chunk: str) -> None:
        """Append committed reasoning."""
        with self._lock:
            self.reasoning += chunk
            if self._pages:
                self._push("reasoning", {"t": chunk})

    def add_wait(self, seconds: int) -> None:
        """Note that the provider asked to wait."""
        with self._lock:
            self.waiting_seconds = seconds
            if self._pages:
                self._push("waiting", {"seconds": seconds})

    def finish(self, state: AnswerState) -> None:
        """Note the end; nothing follows it, not even another end."""
        with self._lock:
            if not self.state.live:
                return
            self.state = state
            if self._pages:
                self._push("done", self._done())

    def retire(self) -> bool:
        """Close a feed that nobody reads, for good; tell whether that could be done."""
        with self._lock:
            self._retired = not self.readers
            return self._retired

    def ring(self) -> None:
        """Bring every reader the news: send it where that takes no waiting, else wake the reader."""
        for reader in tuple(self.readers):
            if not self._send(reader):
                reader.bell.set()

    def _send(self, reader: Reader) -> bool:
        """Send a waiting reader what it has not had yet; tell whether it may go on waiting."""
        wire = reader.wire
        if wire is None or not reader.waiting or reader.revoked or wire.unsent:
            return False
        data = self.since(reader)
        return (not data or wire.send(data)) and not reader.position.ended

    # -- the readers' side -------------------------------------------------------------------------------

    def join(self, reader: Reader, position: Position | None) -> bytes:
        """Add a reader and return what brings it from its position, or from nothing, to the present.

        Raises Retired where nobody writes any more.
        """
        if reader.take is None:
            self._render_ahead(position)
        with self._lock:
            if self._retired:
                raise Retired
            self.readers.add(reader)
            if reader.take is not None:
                return b""
            if not self._pages:
                self._forget_frames()
            self._pages += 1
            return self._catch_up(reader, position)

    def leave(self, reader: Reader) -> None:
        """Forget a reader; harmless when repeated."""
        with self._lock:
            if reader in self.readers:
                self.readers.discard(reader)
                self._pages -= reader.take is None

    def since(self, reader: Reader) -> bytes:
        """Return the frames the reader has not had yet, and move it on."""
        if reader.take is not None:
            return reader.take(self)
        first, kept = self._frames
        index = reader.cursor - first
        if index < 0:  # it was slower than the frames are kept
            with self._lock:
                return self._catch_up(reader, reader.position)
        frames = kept[index:]
        if not frames:
            return b""
        reader.cursor += len(frames)
        reader.position = frames[-1].position
        return frames[0].data if len(frames) == 1 else b"".join(frame.data for frame in frames)

    def _render_ahead(self, position: Position | None) -> None:
        """Render what will be needed while the lock is not held: with a long answer the writer would wait."""
        with self._lock:
            self._blocks.advance(self.text)
            known = position is not None and position.text <= len(self.text)
            missing = self._blocks.unrendered(self.text, position.text if position and known else 0)
        for number, source in missing:
            self._blocks.put(number, render(source))

    def _catch_up(self, reader: Reader, position: Position | None) -> bytes:
        """Return what leads from a position to the present; a snapshot where the position is of no use."""
        first, kept = self._frames
        reader.cursor = first + len(kept)
        reader.position = self.position
        self._blocks.advance(self.text)
        if position is None or self.is_behind(position):
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
        first, kept = self._frames
        place = self.position
        kept.append(_Frame(self._frame_at(place, event, data), place))
        if len(kept) > FRAMES_KEPT:  # readers may be in the old list, which therefore stays as it is
            dropped = FRAMES_KEPT // 2
            self._frames = (first + dropped, kept[dropped:])

    def _forget_frames(self) -> None:
        first, kept = self._frames
        self._frames = (first + len(kept), [])

    def _frame(self, event: str, data: dict[str, object]) -> bytes:
        return self._frame_at(Position(len(self.text), len(self.reasoning), event == "done"), event, data)

    def _frame_at(self, place: Position, event: str, data: dict[str, object]) -> bytes:
        retry_ms = RETRY_MILLISECONDS if event == "snapshot" else None
        return sse.frame(event, _to_json(data), str(place), retry_ms)
