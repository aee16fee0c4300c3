"""Reading the events of an answer over the API, cut where a test says."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.door.conftest import Door


@dataclass(frozen=True)
class Event:
    """One event."""

    name: str
    data: Any
    id: str


def events(
    door: Door, path: str, body: Any = None, *, last: str | None = None, name: str = "lin.yue"
) -> Iterator[Event]:
    """Yield events; with a body they are asked for by POST."""
    headers = {"Authorization": f"Bearer {door.tokens[name]}", "Accept": "text/event-stream"}
    if last is not None:
        headers["Last-Event-ID"] = last
    if body is not None:
        headers["Content-Type"] = "application/json"
    raw = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(door.server.url + path, raw, headers)
    with closing(urllib.request.urlopen(request, timeout=60)) as response:
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        fields: dict[str, str] = {}
        for line in response:
            key, _colon, value = line.decode().rstrip("\n").partition(": ")
            if key in {"event", "id", "data"}:
                fields[key] = value
            elif not key and fields:
                yield Event(fields["event"], json.loads(fields["data"]), fields.get("id", ""))
                fields = {}


def text_of(found: list[Event]) -> str:
    """Return the text that events add up to."""
    return "".join(event.data["text"] for event in found if event.name == "delta")
