"""A chunk is sent without waiting; what a full connection does not take is sent later, in order."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from webapp.web.wire import Wire, wire_of


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's end, which does not wait, and the reader's."""
    here, there = socket.socketpair()
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
    here.setblocking(False)
    with here, there:
        yield here, there


def test_what_is_sent_is_a_chunk(pair: tuple[socket.socket, socket.socket]) -> None:
    wire = Wire(pair[0])
    assert wire.send(b"x" * 26)
    assert wire.unsent == b""
    assert pair[1].recv(100) == b"1a\r\n" + b"x" * 26 + b"\r\n"


def test_what_a_full_connection_leaves_is_sent_by_finish(pair: tuple[socket.socket, socket.socket]) -> None:
    here, there = pair
    wire, chunk = Wire(here), bytes(range(256)) * 8
    sent = 1
    while wire.send(chunk):
        sent += 1
    assert wire.unsent
    received = bytearray()

    def read() -> None:
        while data := there.recv(1_000):
            received.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    here.settimeout(30)
    wire.finish()
    assert wire.unsent == b""
    here.close()
    reader.join(30)
    assert bytes(received) == (b"800\r\n" + chunk + b"\r\n") * sent


def test_connection_that_is_gone_is_found_out_by_finish(pair: tuple[socket.socket, socket.socket]) -> None:
    here, there = pair
    wire = Wire(here)
    there.close()
    assert not wire.send(b"to nobody")
    with pytest.raises(OSError, match="Broken pipe"):
        wire.finish()


def test_closed_connection_never_writes_to_another(pair: tuple[socket.socket, socket.socket]) -> None:
    here, _there = pair
    wire = Wire(here)
    here.close()
    left, right = socket.socketpair()  # very likely under the number that has just become free
    with left, right:
        assert not wire.send(b"meant for somebody else")
        for end in (left, right):
            end.setblocking(False)
            with pytest.raises(BlockingIOError):
                end.recv(10)


def test_there_is_no_wire_where_threads_serve(pair: tuple[socket.socket, socket.socket]) -> None:
    assert wire_of({"gunicorn.socket": pair[0], "SERVER_PROTOCOL": "HTTP/1.1"}) is None
