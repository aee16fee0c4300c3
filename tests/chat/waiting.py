"""Asking and waiting, for tests of chats."""

from __future__ import annotations

import re
import time
from typing import Any

from tests.pages import PageClient

WAIT_SECONDS = 30
JSON = {"Accept": "application/json"}


def ask(
    client: PageClient, text: str = "Hello", model: str = "scripted-echo", **fields: str
) -> dict[str, Any]:
    """Send a message as script does and return the data of the envelope."""
    token = client.csrf_token("/chat")
    data = {"csrf_token": token, "text": text, "model": model, **fields}
    response = client.post("/chat/messages", data=data, headers=JSON)
    assert response.status_code == 200, response.text
    assert response.json is not None
    return dict(response.json["data"])


def post(client: PageClient, path: str, **fields: str) -> Any:
    """Post with a token as script does."""
    return client.post(path, data={"csrf_token": client.csrf_token("/chat"), **fields}, headers=JSON)


def state_of(client: PageClient, answer: str) -> str:
    found = re.search(r'data-state="(\w+)"', client.get(f"/chat/answers/{answer}").text)
    assert found
    return found[1]


def wait_for_end(client: PageClient, answer: str) -> str:
    """Wait until an answer has ended and return its state."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if (state := state_of(client, answer)) != "streaming":
            return state
        time.sleep(0.05)
    raise AssertionError("the answer did not end")


def wait_for_text(client: PageClient, answer: str) -> None:
    """Wait until some of an answer is committed."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if not re.search(r'data-after="0"', client.get(f"/chat/answers/{answer}").text):
            return
        time.sleep(0.05)
    raise AssertionError("no text came")


def source(client: PageClient, answer: str) -> str:
    return client.get(f"/chat/answers/{answer}/source").text
