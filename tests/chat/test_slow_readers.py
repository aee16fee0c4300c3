"""Readers of every pace at one answer, on the real server: each gets every byte, and holds up nobody."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
import urllib.parse
from pathlib import Path

import pytest

from tests.bench.streams import reading, script, targets
from tests.bench.streams.client import END, Person, fetch, request, sign_in

TOKENS = 30_000
TOKENS_PER_SECOND = 4_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the fake upstream waits by epoll"),
]


def ask(port: int, person: Person) -> str:
    """Ask for a long answer and return the address of its stream."""
    fields = {"text": script.question(1, TOKENS), "model": targets.MODEL, "csrf_token": person.csrf_token}
    body = urllib.parse.urlencode(fields).encode()
    kind = "application/x-www-form-urlencoded"
    answer, _ = fetch(port, request("POST /chat/messages", body, kind, person.cookie))
    return str(json.loads(answer)["data"]["events_url"])


class Reader:
    """Reads a stream so many bytes at a time, with so long a pause between, and up to so many bytes."""

    def __init__(
        self, port: int, address: str, person: Person, *, size: int, pause: float, most: int
    ) -> None:
        self.pieces: list[tuple[float, bytes]] = []
        self._size, self._pause, self._most = size, pause, most
        self._sock = socket.socket()
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, min(size, 65_536))
        self._sock.settimeout(60)
        self._sock.connect(("127.0.0.1", port))
        self._sock.sendall(request(f"GET {address}", cookie=person.cookie, accept="text/event-stream"))
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        tail, had = b"", 0
        while not tail.endswith(END) and had < self._most:
            data = self._sock.recv(self._size)
            if not data:
                break
            self.pieces.append((time.monotonic(), data))
            tail, had = (tail + data)[-8:], had + len(data)
            if self._pause and time.monotonic() - self.pieces[0][0] < TOKENS / TOKENS_PER_SECOND:
                time.sleep(self._pause)
        if had >= self._most:  # leaves without a word: what is under way to it is refused
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()


def test_each_reader_gets_every_byte_at_its_own_pace(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    targets.make_instance(folder, 1)
    with (
        targets.upstream(TOKENS_PER_SECOND) as upstream,
        targets.product(folder, upstream.port, "openai_compatible") as server,
    ):
        person = sign_in(server.port, 1)[0]
        address = ask(server.port, person)
        whole = 1 << 40
        readers = [
            Reader(server.port, address, person, size=65_536, pause=0, most=whole),
            Reader(server.port, address, person, size=2_048, pause=0.05, most=whole),
            Reader(server.port, address, person, size=300, pause=0.2, most=whole),
        ]
        leaver = Reader(server.port, address, person, size=1_024, pause=0.01, most=60_000)
        for reader in (*readers, leaver):
            reader.thread.join(120)
        text = script.text(1, TOKENS)
        for reader in readers:
            assert reading.read_product(reader.pieces, text).fault == ""
        # The slow ones were slow indeed: most of the answer was there before they had it.
        fast, slow = (reading.read_product(each.pieces, text).arrivals for each in (readers[0], readers[2]))
        half = len(text) // 2
        assert next(at for at, length in fast if length > half) < next(at for at, n in slow if n > half)
        assert leaver.pieces
