"""A small HTTP browser over real sockets for tests of running servers: cookies, forms, event streams."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.people import PASSWORD

TIMEOUT_SECONDS = 40


@dataclass(frozen=True)
class Event:
    """One event of a stream."""

    name: str
    data: dict[str, Any]
    id: str | None


class HttpBrowser:
    """Somebody's browser, signed in through the page."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.token = ""

    def get(self, path: str, **headers: str) -> str:
        request = urllib.request.Request(self.url + path, headers=headers)
        with self.opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            return response.read().decode()

    def status(self, path: str) -> int:
        """Get a page and return the status of the answer, whatever it is."""
        try:
            with self.opener.open(self.url + path, timeout=TIMEOUT_SECONDS) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code

    def post(self, path: str, **fields: str) -> dict[str, Any]:
        """Post a form and return the envelope, whatever its code."""
        body = urllib.parse.urlencode({"csrf_token": self.token, **fields}).encode()
        request = urllib.request.Request(self.url + path, body, {"Accept": "application/json"})
        try:
            with self.opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                text = response.read().decode()
        except urllib.error.HTTPError as error:
            text = error.read().decode()
        return json.loads(text) if text.startswith("{") else {"code": "303", "data": None, "text": text}

    def sign_in(self, username: str) -> HttpBrowser:
        self._take_token(self.get("/login"))
        self.post("/login", login=username, password=PASSWORD, keep="y")
        self._take_token(self.get("/chat"))
        return self

    def ask(self, text: str, model: str, **fields: str) -> dict[str, Any]:
        """Send a message and return the data of the envelope."""
        answer = self.post("/chat/messages", text=text, model=model, **fields)
        assert answer["code"] == "200", answer
        data: dict[str, Any] = answer["data"]
        return data

    def answer_state(self, answer_id: str) -> str:
        found = re.search(r'data-state="(\w+)"', self.get(f"/chat/answers/{answer_id}"))
        assert found
        return found[1]

    def answer_source(self, answer_id: str) -> str:
        return self.get(f"/chat/answers/{answer_id}/source")

    def events(
        self, answer_id: str, after: str | None = None, timeout: float = TIMEOUT_SECONDS
    ) -> Iterator[Event]:
        """Yield the events of an answer until the stream ends or breaks."""
        query = "" if after is None else f"?after={urllib.parse.quote(after)}"
        request = urllib.request.Request(
            f"{self.url}/chat/answers/{answer_id}/events{query}", headers={"Accept": "text/event-stream"}
        )
        response = self.opener.open(request, timeout=timeout)
        fields: dict[str, str] = {}
        try:
            for raw in response:
                line = raw.decode().rstrip("\n")
                if line.startswith(":"):
                    continue
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    yield Event(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id"))
                    fields = {}
        except (ConnectionError, http.client.HTTPException, TimeoutError):
            return
        finally:
            response.close()

    def _take_token(self, page: str) -> None:
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found
        self.token = found[1]
