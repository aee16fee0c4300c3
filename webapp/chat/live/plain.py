"""What programs get of a live answer: its text as it is, in events whose ids name the answer and the place in it.

event: delta        data: {"text": "…"}           the next piece of the answer
event: reasoning    data: {"text": "…"}           the next piece of what the model thinks first
event: waiting      data: {"seconds": 3}          the provider asked to wait
event: reset        data: {}                      the place named is not in this answer: it comes from its beginning
event: done         data: {"state": "complete", …}
event: reconnect    data: {}                      the server restarts: come back with Last-Event-ID
"""

from __future__ import annotations

import json
from typing import Any, Final

from webapp.chat.live.feed import Feed
from webapp.chat.live.position import Position, parse
from webapp.lib import sse

_to_json: Final = json.JSONEncoder(ensure_ascii=False).encode


class PlainText:
    """Makes the events of one reader; each is made when it is sent."""

    def __init__(self, answer_id: str, position: Position | None) -> None:
        self.position = Position()
        self._answer_id = answer_id
        self._asked = position
        self._waited = 0

    def take(self, feed: Feed) -> bytes:
        """Return the events for what is new; the end is told by `done`, once more is known of it."""
        state, text, reasoning = (
            feed.state,
            feed.text,
            feed.reasoning,
        )  # the state first: text comes before an end
        parts: list[bytes] = []
        if self._asked is not None:
            parts.append(self._start(self._asked, len(text), len(reasoning)))
            self._asked = None
        if len(reasoning) > self.position.reasoning:
            new = reasoning[self.position.reasoning :]
            self.position = Position(self.position.text, len(reasoning))
            parts.append(self._event("reasoning", {"text": new}))
        if feed.waiting_seconds != self._waited:
            self._waited = feed.waiting_seconds
            if self._waited:
                parts.append(self._event("waiting", {"seconds": self._waited}))
        if len(text) > self.position.text:
            new = text[self.position.text :]
            self.position = Position(len(text), self.position.reasoning)
            parts.append(self._event("delta", {"text": new}))
        if not state.live:
            self.position = self.position._replace(ended=True)
        return b"".join(parts)

    def done(self, data: dict[str, Any]) -> bytes:
        """Return the event that ends the stream."""
        return self._event("done", data)

    def _start(self, asked: Position, text: int, reasoning: int) -> bytes:
        """Begin at the place asked for, or from the beginning where that is beyond what there is."""
        if asked.text <= text and asked.reasoning <= reasoning:
            self.position = Position(asked.text, asked.reasoning)
            return b""
        return self._event("reset", {})

    def _event(self, name: str, data: dict[str, Any]) -> bytes:
        return sse.frame(name, _to_json(data), f"{self._answer_id}:{self.position}")


def place_in(answer_id: str, value: str | None) -> Position | None:
    """Return the place an event id names: of this answer, or one without an answer; None for anything else."""
    answer, _colon, place = (value or "").rpartition(":")
    return parse(place) if answer in {"", answer_id} else None


def answer_of(value: str | None) -> str | None:
    """Return the answer that an event id of ours names."""
    answer, colon, place = (value or "").rpartition(":")
    return answer if colon and parse(place) is not None else None
