"""The browsers: one light process that opens streams, notes what came when, and looks at it afterwards.

`python -m tests.bench.streams.client` reads a job as JSON from its input and writes the result to its output.
"""

from __future__ import annotations

import json
import select
import socket
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any, Final

from tests.bench.streams import plan, script
from tests.bench.streams.machine import busy_seconds, cpu_seconds, resident_bytes
from tests.bench.streams.plan import Job, Load
from tests.people import PASSWORD

END: Final = b"0\r\n\r\n"  # of a chunked body; what is in the chunks ends with line feeds alone
GRACE_SECONDS: Final = 20.0


@dataclass(slots=True, eq=False)
class Stream:
    """One browser's answer: the requests that lead to it, then what came, piece by piece."""

    number: int
    sock: socket.socket
    asked_at: float = 0.0
    answer: str = ""
    received: bytearray = field(default_factory=bytearray)
    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    streaming: bool = False
    ended: bool = False


@dataclass(slots=True)
class Window:
    """What was read at both ends of the measured time."""

    began: float = 0.0
    ended: float = 0.0
    cpu: float = 0.0
    busy: float = 0.0
    own: float = 0.0
    upstream: float = 0.0
    resident: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in."""

    cookie: str
    csrf_token: str


class Browsers:
    """All streams of a job, in one loop."""

    def __init__(self, job: Job, people: list[Person]) -> None:
        self.job, self.load, self._people = job, job.load, people
        self.streams: list[Stream] = []
        self.window = Window()
        self._poll = select.epoll()
        self._by_descriptor: dict[int, Stream] = {}
        self._open = 0

    def run(self) -> None:
        """Open the streams one after the other, hold them for the measured time, and wait for their ends.

        While they are held, a newcomer asks for a short answer now and then.
        """
        load = self.load
        began = time.monotonic()
        starts_at = began + load.ramp_seconds + load.settle_seconds
        deadline = starts_at + load.seconds + load.ramp_seconds + GRACE_SECONDS
        while (now := time.monotonic()) < deadline:
            due = began + len(self.streams) / load.opened_per_second
            if (len(self.streams) < load.streams and now >= due) or (
                len(self.streams) < self._wanted and now >= self._newcomer_due(starts_at)
            ):
                self._begin()
            elif len(self.streams) == self._wanted and not self._open:
                return
            if not self.window.began and now >= starts_at:
                self._read_meters(begin=True)
            elif self.window.began and not self.window.ended and now >= starts_at + load.seconds:
                self._read_meters(begin=False)
            for descriptor, _event in self._poll.poll(0.005):
                self._receive(self._by_descriptor[descriptor])

    @property
    def _wanted(self) -> int:
        return self.load.streams + self.load.newcomers

    def _newcomer_due(self, starts_at: float) -> float:
        already = len(self.streams) - self.load.streams
        return starts_at + already / plan.NEWCOMERS_PER_SECOND if already >= 0 else float("inf")

    def _begin(self) -> None:
        sock = socket.create_connection(("127.0.0.1", self.job.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = Stream(len(self.streams) + 1, sock)
        self.streams.append(stream)
        self._by_descriptor[sock.fileno()] = stream
        self._poll.register(sock, select.EPOLLIN)
        self._open += 1
        stream.asked_at = time.monotonic()
        sock.sendall(self._question(stream))
        sock.setblocking(False)

    def _question(self, stream: Stream) -> bytes:
        text = script.question(stream.number, self.load.tokens_of(stream.number))
        if self.job.kind == "door":
            stream.streaming = True
            message = {"role": "user", "content": text}
            asked = {"model": self.job.model, "stream": True, "messages": [message]}
            token = self.job.tokens[stream.number % len(self.job.tokens)]
            body = json.dumps(asked).encode()
            return request("POST /v1/chat/completions", body, "application/json", token=token)
        if self.job.kind != "product":
            stream.streaming = True
            return request("POST /stream", json.dumps({"text": text}).encode(), "application/json")
        person = self.person(stream)
        fields = {"text": text, "model": self.job.model, "csrf_token": person.csrf_token}
        body = urllib.parse.urlencode(fields).encode()
        return request("POST /chat/messages", body, "application/x-www-form-urlencoded", person.cookie)

    def person(self, stream: Stream) -> Person:
        """Return whose stream it is."""
        return self._people[stream.number % len(self._people)]

    def _receive(self, stream: Stream) -> None:
        try:
            data = stream.sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if stream.streaming:
            stream.pieces.append((time.monotonic(), data))
            if not data or data.endswith(END):
                stream.ended = bool(data)
                self._end(stream)
            return
        stream.received += data
        head, separator, body = bytes(stream.received).partition(b"\r\n\r\n")
        if not data or (separator and not head.startswith(b"HTTP/1.1 200")):
            stream.pieces.append((time.monotonic(), bytes(stream.received)))
            self._end(stream)
        elif separator and len(body) >= content_length(head):
            self._listen(stream, json.loads(body)["data"])

    def _listen(self, stream: Stream, sent: dict[str, Any]) -> None:
        stream.answer, stream.streaming = sent["answer"], True
        address = sent["events_url"]
        stream.sock.send(
            request(f"GET {address}", cookie=self.person(stream).cookie, accept="text/event-stream")
        )

    def _end(self, stream: Stream) -> None:
        self._poll.unregister(stream.sock)
        del self._by_descriptor[stream.sock.fileno()]
        stream.sock.close()
        self._open -= 1

    def _read_meters(self, *, begin: bool) -> None:
        window, sign = self.window, -1 if begin else 1
        window.cpu += sign * sum(cpu_seconds(pid) for pid in self.job.pids)
        window.busy += sign * busy_seconds()
        window.own += sign * time.process_time()
        window.upstream += sign * cpu_seconds(self.job.upstream_pid)
        window.resident = sum(resident_bytes(pid) for pid in self.job.pids)
        if begin:
            window.began = time.monotonic()
        else:
            window.ended = time.monotonic()


def sign_in(port: int, users: int) -> list[Person]:
    """Sign the people of the bench in through the page; the form of the chat page gives the token to post with."""
    return [_sign_in(port, f"bench{number}") for number in range(users)]


def _sign_in(port: int, username: str) -> Person:
    page, cookie = fetch(port, request("GET /login"))
    fields = {"login": username, "password": PASSWORD, "csrf_token": _csrf_token(page)}
    body = urllib.parse.urlencode(fields).encode()
    _page, cookie = fetch(port, request("POST /login", body, "application/x-www-form-urlencoded", cookie))
    page, newer = fetch(port, request("GET /chat", cookie=cookie))
    return Person(newer or cookie, _csrf_token(page))


def _csrf_token(page: bytes) -> str:
    field = page.partition(b'name="csrf_token"')[2]
    return field.partition(b'value="')[2].partition(b'"')[0].decode()


def fetch(port: int, request: bytes) -> tuple[bytes, str]:
    """Send one request on a connection of its own; return the body and the cookie that was set."""
    with socket.create_connection(("127.0.0.1", port)) as sock, sock.makefile("rb") as answer:
        sock.sendall(request)
        lines = iter(answer.readline, b"\r\n")
        headers = [line.decode("latin-1").strip().partition(": ") for line in lines]
        length = next((int(value) for name, _, value in headers if name.lower() == "content-length"), 0)
        cookies = [value.partition(";")[0] for name, _, value in headers if name.lower() == "set-cookie"]
        return answer.read(length), "; ".join(cookies)


def content_length(head: bytes) -> int:
    """Return the length a head announces."""
    lines = [line.partition(b": ") for line in head.lower().split(b"\r\n")]
    return next((int(value) for name, _, value in lines if name == b"content-length"), 0)


def request(
    what: str,
    body: bytes = b"",
    kind: str = "",
    cookie: str = "",
    accept: str = "application/json",
    token: str = "",
) -> bytes:
    """Return a request as it goes over the wire."""
    lines = [f"{what} HTTP/1.1", "Host: 127.0.0.1", f"Accept: {accept}"]
    lines += [f"Cookie: {cookie}"] if cookie else []
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def job_from(text: str) -> Job:
    """Return the job of a line of JSON."""
    values = json.loads(text)
    return Job(**(values | {"load": Load(**values["load"])}))
