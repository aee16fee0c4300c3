"""A provider of language models for tests and benchmarks: a real socket, both wire formats, every failure.

`python -m tests.fakes.upstream --port 0` prints `{"port": …}` and serves until standard input closes (`--stay`
keeps it until it is killed). `POST …/chat/completions` answers as an OpenAI-compatible server below `/v1` and as
Zhipu below `/api/paas/v4`. What it does stands in the model's name, after a question mark:

    any-name?tokens=200&rate=20&stamp=1      any-name?status=429&retry_after=3&times=1&key=a1

See `Order` for the words. `GET /control/calls?key=a1` tells the bodies of the calls that had that key (by default
the whole model name), `GET /control/open` how many streams and connections are open, `GET /control/ended?key=a1`
how the streams ended (`whole`, `cut` by us, `left` by the reader).
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import signal
import socket
import struct
import sys
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import parse_qsl

from tests.fakes.answers import body_of, stream_of

WHEEL_SECONDS = 0.004
SEND_BUFFER_BYTES = 1_000_000
STEPS_AT_ONCE = 2_000
SSE = "text/event-stream; charset=utf-8"


@dataclass
class Order:
    """What one call should get; `times` bounds the failure to the first so many calls with the same key."""

    tokens: int = 20
    rate: float = 0.0  # tokens a second; 0 sends all at once
    first: float = 0.0  # seconds before the first token
    head: float = 0.0  # seconds before the status line
    text: str = "words"  # words, cjk, or echo (the question)
    stamp: int = 0  # each token holds the monotonic time it was sent, in nanoseconds
    reasoning: int = 0  # tokens of reasoning before the text
    call: str = ""  # the tool that is called instead of an answer, with the question as its argument
    usage: int = 1
    finish: str = "stop"  # or "none"
    done: int = 1  # the end marker
    split: int = 0  # cut the body into pieces of so many bytes
    pause: float = 0.0  # seconds between such pieces
    eol: str = "lf"  # lf, crlf, cr
    comments: int = 0
    gzip: int = 0
    length: int = 0  # a Content-Length instead of chunks
    status: int = 200
    retry_after: str = ""
    location: str = ""
    # hang, refuse, html, json, badjson, error200, emptychoices, hugeline, stall, cut, rst, cutchunk, echo_key,
    # filtered, badcall, nostreamoptions, trickle, comments, noise
    mode: str = ""
    after: int = 5  # tokens before the failure, where it comes within an answer
    times: int = 1_000_000
    key: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    zhipu: bool = False
    authorization: str = ""

    @classmethod
    def parse(cls, model: str, defaults: dict[str, Any]) -> Order:
        """Read the words behind the question mark."""
        order = cls(**defaults)
        kinds = {f.name: type(getattr(order, f.name)) for f in fields(cls)}
        for name, value in parse_qsl(model.partition("?")[2], keep_blank_values=True):
            setattr(order, name, kinds[name](value))
        order.key = order.key or model
        return order


class Wheel:
    """Calls at a time, all of one slot together: one timer of the loop for any number of streams."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, list[Callable[[], None]]] = {}
        self._heap: list[int] = []

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Make the call in the slot of that time."""
        slot = int(when / WHEEL_SECONDS) + 1
        calls = self._slots.get(slot)
        if calls is not None:
            calls.append(call)
            return
        self._slots[slot] = [call]
        heapq.heappush(self._heap, slot)
        if self._heap[0] == slot:
            self._loop.call_at(slot * WHEEL_SECONDS, self._turn)

    def _turn(self) -> None:
        now = self._loop.time() + 0.0005
        while self._heap and self._heap[0] * WHEEL_SECONDS <= now:
            for call in self._slots.pop(heapq.heappop(self._heap)):
                call()
        if self._heap:
            self._loop.call_at(self._heap[0] * WHEEL_SECONDS, self._turn)


class Upstream:
    """The state all connections share."""

    def __init__(self, loop: asyncio.AbstractEventLoop, defaults: dict[str, Any] | None = None) -> None:
        self.loop = loop
        self.wheel = Wheel(loop)
        self.defaults = defaults or {}
        self.calls: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.ended: dict[str, Counter[str]] = defaultdict(Counter)
        self.streams = 0
        self.connections = 0

    def told(self, path: str, query: dict[str, str]) -> object:
        """Return what a control path tells."""
        key = query.get("key", "")
        if path == "/control/calls":
            return self.calls[key]
        if path == "/control/ended":
            return self.ended[key]
        return {"streams": self.streams, "connections": self.connections - 1}


class Connection(asyncio.Protocol):
    """One connection of a client: reads requests, plays orders."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        self.buffer = b""
        self.order: Order | None = None
        self.script: Iterator[tuple[float, bytes | None]] = iter(())
        self.due = 0.0
        self.chunked = True
        self.packer: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self.transport = transport  # type: ignore[assignment]
        self.upstream.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Note who left."""
        self.upstream.connections -= 1
        if self.order is not None:
            self._end("left")

    def data_received(self, data: bytes) -> None:
        """Take a request when it is whole."""
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        method, target, _ = lines[0].split(" ")
        self._answer(method, target, headers, rest[:length])

    def _answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        path, _, query = target.partition("?")
        if path.startswith("/control/"):
            return self._send_whole(200, self.upstream.told(path, dict(parse_qsl(query))))
        if method != "POST" or not path.endswith("/chat/completions"):
            return self._send_whole(404, {"error": {"message": f"no {method} {path}"}})
        asked = json.loads(body)
        order = Order.parse(asked["model"], self.upstream.defaults)
        order.body, order.zhipu = asked, path.startswith("/api/paas/")
        order.authorization = headers.get("authorization", "")
        calls = self.upstream.calls[order.key]
        calls.append({"path": path, "headers": headers, "body": asked, "at": time.monotonic()})
        if len(calls) > order.times:
            order.status, order.mode = 200, ""
        self.order = order
        self.upstream.streams += 1
        self.due = self.upstream.loop.time() + order.head
        if order.mode == "hang":
            return None
        return self.upstream.wheel.at(self.due, self._begin) if order.head else self._begin()

    def _begin(self) -> None:
        order = self.order
        if order is None:
            return None
        if order.mode == "refuse":
            return self._cut(reset=True)
        if order.mode == "nostreamoptions" and "stream_options" in order.body:
            order.status = 400
        if order.status != 200 or order.mode in {"html", "json"} or not order.body.get("stream"):
            kind, content = body_of(order)
            extra = f"Retry-After: {order.retry_after}\r\n" if order.retry_after else ""
            extra += f"Location: {order.location}\r\n" if order.location else ""
            self._end("whole")
            return self._send_whole(order.status, content, kind, extra)
        self._send_head(order)
        self.script = stream_of(order)
        self.due = self.upstream.loop.time()
        return self._advance()

    def _send_head(self, order: Order) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {SSE}\r\n"
        self.packer = zlib.compressobj(wbits=31) if order.gzip else None
        self.chunked = not order.length
        head += "Content-Encoding: gzip\r\n" if order.gzip else ""
        head += f"Content-Length: {order.length}\r\n" if order.length else "Transfer-Encoding: chunked\r\n"
        self.transport.write(f"{head}\r\n".encode())

    def _advance(self) -> None:
        """Play the script as far as it is due."""
        wheel, now = self.upstream.wheel, self.upstream.loop.time()
        steps = 0
        while self.order is not None and not self.transport.is_closing():
            steps += 1
            if steps > STEPS_AT_ONCE or self.transport.get_write_buffer_size() > SEND_BUFFER_BYTES:
                return wheel.at(now + WHEEL_SECONDS, self._advance)
            step = next(self.script, None)
            if step is None:
                return self._finish()
            seconds, data = step
            if data is None:
                return self._cut(reset=seconds < 0)
            if seconds:
                self.due += seconds
                if self.due > now:
                    return wheel.at(self.due, lambda data=data: self._late(data))  # type: ignore[misc]
            self._write(data)
        return None

    def _late(self, data: bytes) -> None:
        if self.order is not None:
            self._write(data)
            self._advance()

    def _write(self, data: bytes) -> None:
        if self.order is not None and self.order.stamp:
            data = time_stamped(data)
        if self.packer is not None:
            data = self.packer.compress(data) + self.packer.flush(zlib.Z_SYNC_FLUSH)
        if data:
            self.transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def _finish(self) -> None:
        if self.packer is not None and (tail := self.packer.flush()):
            self.packer = None
            self._write(tail)
        if self.chunked:
            self.transport.write(b"0\r\n\r\n")
        else:
            self.transport.close()
        self._end("whole")

    def _cut(self, *, reset: bool) -> None:
        if reset:
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._end("cut")
            self.transport.abort()
        else:
            self._end("cut")
            self.transport.close()

    def _end(self, how: str) -> None:
        if self.order is not None:
            self.upstream.ended[self.order.key][how] += 1
            self.upstream.streams -= 1
            self.order = None

    def _send_whole(
        self, status: int, content: object, kind: str = "application/json", extra: str = ""
    ) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        head = (
            f"HTTP/1.1 {status} Status\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        )
        self.transport.write(head.encode() + body)


def time_stamped(data: bytes) -> bytes:
    """Return the event with the time of sending in it."""
    return data.replace(b"@" * 19, b"%019d" % time.monotonic_ns(), 1)


async def serve(host: str, port: int, defaults: dict[str, Any], *, stay: bool) -> None:
    """Serve until standard input closes or the process is told to end."""
    loop = asyncio.get_running_loop()
    upstream = Upstream(loop, defaults)
    server = await loop.create_server(lambda: Connection(upstream), host, port, backlog=1024)
    sys.stdout.write(json.dumps({"port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    if not stay:
        loop.add_reader(sys.stdin, lambda: sys.stdin.buffer.read1() or over.set())  # type: ignore[attr-defined]
    await over.wait()


def main() -> None:
    """Read the command line; what is not said there is a default of every order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stay", action="store_true", help="do not end with standard input")
    parser.add_argument(
        "--set", action="append", default=[], metavar="WORD=VALUE", help="default of an order"
    )
    given = parser.parse_args()
    order = Order()
    defaults = {n: type(getattr(order, n))(v) for n, _, v in (pair.partition("=") for pair in given.set)}
    asyncio.run(serve(given.host, given.port, defaults, stay=given.stay))


if __name__ == "__main__":
    main()
