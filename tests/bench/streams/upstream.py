"""A model that answers at an even pace and remembers when it sent what: a process of its own, made to be light.

`python -m tests.bench.streams.upstream PORT TOKENS_PER_SECOND FIRST_TOKEN_SECONDS`. Any POST is a chat completion
in the OpenAI form; `GET /record` tells for each stream when its request was here and when each token left, on the
clock that all processes of a machine share.
"""

from __future__ import annotations

import heapq
import json
import select
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

from tests.bench.streams import script

_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_BEFORE: Final = (
    'data: {"id":"chatcmpl-%07d","object":"chat.completion.chunk","created":1764000000,"model":"bench",'
    '"choices":[{"index":0,"delta":{"role":"assistant","content":'
)
_AFTER: Final = '},"finish_reason":null}]}\n\n'
_LAST: Final = (
    'data: {"id":"chatcmpl-%07d","object":"chat.completion.chunk","created":1764000000,"model":"bench",'
    '"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":12,"completion_tokens":%d,"total_tokens":%d}}\n\n'
)


@dataclass(slots=True, eq=False)
class Line:
    """One connection: a request that is being read, or the answer to it."""

    sock: socket.socket
    received: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    stream: int = 0
    before: str = ""
    tokens: tuple[str, ...] = ()
    next: int = 0
    sent: list[float] = field(default_factory=list)
    gone: bool = False


class Upstream:
    """The server: one loop over all connections, and a heap of what is due when."""

    def __init__(self, port: int, tokens_per_second: float, first_token_seconds: float) -> None:
        self._pause, self._first = 1 / tokens_per_second, first_token_seconds
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self._listener.setblocking(False)
        self._poll = select.epoll()
        self._poll.register(self._listener, select.EPOLLIN)
        self._lines: dict[int, Line] = {}
        self._due: list[tuple[float, int, Line]] = []
        self._number = 0
        self._record: dict[int, dict[str, Any]] = {}

    def run(self) -> None:
        """Serve until the process is ended."""
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else 1.0
            for descriptor, _event in self._poll.poll(wait):
                if descriptor == self._listener.fileno():
                    self._accept()
                else:
                    self._receive(self._lines[descriptor])
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                due, _number, line = heapq.heappop(self._due)
                if not line.gone:
                    self._say(line, due)

    def _accept(self) -> None:
        sock, _address = self._listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines[sock.fileno()] = Line(sock)
        self._poll.register(sock, select.EPOLLIN)

    def _receive(self, line: Line) -> None:
        try:
            data = line.sock.recv(65_536)
        except OSError:
            data = b""
        if not data:
            self._drop(line)
            return
        line.received += data
        head, separator, body = bytes(line.received).partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return
        line.received.clear()
        if head.startswith(b"GET /record"):
            line.sock.setblocking(True)
            line.sock.sendall(_whole(json.dumps(self._record).encode()))
            line.sock.setblocking(False)
        else:
            self._begin(line, json.loads(body))

    def _begin(self, line: Line, request: dict[str, Any]) -> None:
        asked = script.asked(request["messages"][-1]["content"])
        stream, count = asked or (0, 3)
        line.stream, line.tokens, line.next, line.sent = stream, script.tokens(stream, count), 0, []
        line.before = _BEFORE % stream
        now = time.monotonic()
        if asked:
            self._record[stream] = {"arrived": now, "sent": line.sent}
        self._write(line, _HEAD)
        self._schedule(line, now + self._first)

    def _schedule(self, line: Line, due: float) -> None:
        self._number += 1
        heapq.heappush(self._due, (due, self._number, line))

    def _say(self, line: Line, due: float) -> None:
        if line.next == len(line.tokens):
            count = len(line.tokens)
            last = _LAST % (line.stream, count, count + 12)
            self._write(line, _chunk(last.encode()) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
            return
        token = json.dumps(line.tokens[line.next], ensure_ascii=False)
        line.next += 1
        line.sent.append(time.monotonic())
        self._write(line, _chunk((line.before + token + _AFTER).encode()))
        self._schedule(line, due + self._pause)

    def _write(self, line: Line, data: bytes) -> None:
        if line.unsent:
            line.unsent += data
            data = bytes(line.unsent)
            line.unsent.clear()
        try:
            done = line.sock.send(data)
        except BlockingIOError:
            done = 0
        except OSError:
            self._drop(line)
            return
        if done < len(data):
            line.unsent += data[done:]

    def _drop(self, line: Line) -> None:
        if line.gone:
            return
        line.gone = True
        self._poll.unregister(line.sock)
        del self._lines[line.sock.fileno()]
        line.sock.close()


def _chunk(data: bytes) -> bytes:
    return b"%X\r\n%b\r\n" % (len(data), data)


def _whole(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


if __name__ == "__main__":
    Upstream(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])).run()
