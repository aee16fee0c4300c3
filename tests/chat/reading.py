"""What a page makes of an answer's events, for tests."""

from __future__ import annotations

import json
from typing import Any


class Page:
    """Applies events as the page does; `text` is the raw text as far as it can be known from tails."""

    def __init__(self) -> None:
        self.html = ""
        self.tail = ""
        self.reasoning = ""
        self.id: str | None = None
        self.state = "streaming"
        self.names: list[str] = []

    def apply(self, name: str, data: dict[str, Any], identity: str | None) -> None:
        self.names.append(name)
        self.id = identity or self.id
        if name == "snapshot":
            self.html, self.tail, self.reasoning = data["html"], data["tail"], data["reasoning"]
        elif name == "delta":
            self.tail += data["t"]
        elif name == "block":
            self.html, self.tail = self.html + data["html"], data["tail"]
        elif name == "reasoning":
            self.reasoning += data["t"]
        elif name == "done":
            self.html, self.tail, self.state = self.html + data["html"], "", data["state"]

    def take(self, data: bytes) -> None:
        for name, payload, identity in frames(data):
            self.apply(name, payload, identity)


def frames(data: bytes) -> list[tuple[str, dict[str, Any], str | None]]:
    """Parse whole frames."""
    found = []
    for block in data.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"]), fields.get("id")))
    return found
