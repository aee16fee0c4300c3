"""What a stream's bytes amount to: which part of the text was there when, and whether it was the right text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from webapp.lib import markdown

DONE: Final[dict[str, Any]] = {"done": True}


@dataclass(slots=True)
class Reading:
    """One stream as it was received: `arrivals` are pairs of a time and the length of the text by then."""

    arrivals: list[tuple[float, int]] = field(default_factory=list)
    fault: str = ""

    @property
    def length(self) -> int:
        """How much of the text came."""
        return self.arrivals[-1][1] if self.arrivals else 0


def read_product(pieces: list[tuple[float, bytes]], text: str) -> Reading:
    """Check the product's events, each as far as it shows raw text, and all of the HTML at the end."""
    reading, html, place, ended = Reading(), "", 0, False
    for when, event, data, identity in _events(pieces):
        if identity:
            place, last = int(identity.partition(".")[0]), place
            reading.arrivals.append((when, place))
        if event == "snapshot":
            html, fault = data["html"], not _ends_with(text, place, data["tail"])
        elif event == "delta":
            fault = text[last:place] != data["t"]
        elif event == "block":
            html, fault = html + data["html"], not _ends_with(text, place, data["tail"])
        elif event == "done":
            html, ended, fault = html + data["html"], True, data["state"] != "complete"
        else:
            fault = True
        if fault:
            return _failed(reading, f"{event} at {place}: {str(data)[:200]}")
    if not ended:
        return _failed(
            reading, f"no end after {place} of {len(text)}: {pieces[-1][1][-300:] if pieces else b''!r}"
        )
    return reading if html == markdown.render(text) else _failed(reading, "the HTML is another")


def read_yardstick(pieces: list[tuple[float, bytes]], text: str) -> Reading:
    """Check the yardstick's events: their texts, one after the other, are the text."""
    reading, place, ended = Reading(), 0, False
    for when, event, data, _identity in _events(pieces):
        if event == "done":
            ended = True
            continue
        chunk = data["t"]
        if not text.startswith(chunk, place):
            return _failed(reading, f"at {place}: {chunk!r}")
        place += len(chunk)
        reading.arrivals.append((when, place))
    if place == len(text) and ended:
        return reading
    return _failed(reading, f"no end after {place} of {len(text)}")


def read_door(pieces: list[tuple[float, bytes]], text: str) -> Reading:
    """Check the chunks of the OpenAI-compatible door: their texts, one after the other, are the text."""
    reading, place, reason = Reading(), 0, None
    for when, _event, data, _identity in _events(pieces):
        if data == DONE:
            if place == len(text) and reason == "stop":
                return reading
            break
        choice = data["choices"][0] if data.get("choices") else {"delta": {}}
        chunk, reason = choice["delta"].get("content") or "", choice.get("finish_reason")
        if not text.startswith(chunk, place):
            return _failed(reading, f"at {place}: {chunk!r}")
        place += len(chunk)
        if chunk:
            reading.arrivals.append((when, place))
    return _failed(
        reading, f"no end after {place} of {len(text)}: {pieces[-1][1][-300:] if pieces else b''!r}"
    )


def _failed(reading: Reading, fault: str) -> Reading:
    reading.fault = fault
    return reading


def _ends_with(text: str, place: int, tail: str) -> bool:
    return place >= len(tail) and text.startswith(tail, place - len(tail)) and place <= len(text)


def _events(pieces: list[tuple[float, bytes]]) -> Iterator[tuple[float, str, dict[str, Any], str]]:
    """Yield time, name, data and id of each event."""
    waiting = b""
    for when, data in _bodies(pieces):
        *blocks, waiting = (waiting + data).split(b"\n\n")
        for block in blocks:
            fields = dict(
                line.split(": ", 1)
                for line in block.decode().split("\n")
                if line and not line.startswith(":")
            )
            if "data" in fields:
                told = DONE if fields["data"] == "[DONE]" else json.loads(fields["data"])
                yield when, fields.get("event", "message"), told, fields.get("id", "")


def _bodies(pieces: Iterable[tuple[float, bytes]]) -> Iterator[tuple[float, bytes]]:
    """Yield what the chunks of a response hold, with the time at which each was whole."""
    waiting, in_body = b"", False
    for when, data in pieces:
        waiting += data
        if not in_body:
            _head, separator, rest = waiting.partition(b"\r\n\r\n")
            if not separator:
                continue
            waiting, in_body = rest, True
        while True:
            size, separator, rest = waiting.partition(b"\r\n")
            if not separator:
                break
            length = int(size, 16)
            if length == 0 or len(rest) < length + 2:
                break
            yield when, rest[:length]
            waiting = rest[length + 2 :]
