"""Bytes to a server as they are, and what comes back; for requests no client would send."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Final

QUIET_SECONDS: Final = 3.0
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
SMUGGLED: Final = b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connect(port: int, context: ssl.SSLContext | None = None, name: str = "localhost") -> socket.socket:
    """Return a connection, over TLS where there is a context."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    return plain if context is None else context.wrap_socket(plain, server_hostname=name)


def exchange(
    port: int, data: bytes, context: ssl.SSLContext | None = None, seconds: float = QUIET_SECONDS
) -> bytes:
    """Send the bytes, and return what comes until the server closes or is quiet for so long."""
    received = b""
    with connect(port, context) as connection:
        connection.settimeout(seconds)
        with contextlib.suppress(OSError):
            connection.sendall(data)
            while piece := connection.recv(65_536):
                received += piece
    return received


def exchange_all(port: int, requests: dict[str, bytes]) -> dict[str, bytes]:
    """Exchange many at once, each on a connection of its own."""
    with ThreadPoolExecutor(len(requests)) as pool:
        return dict(
            zip(requests, pool.map(lambda data: exchange(port, data), requests.values()), strict=True)
        )


def statuses(answer: bytes) -> list[int]:
    """Return the status of each response in the bytes; there is one for each request the server saw."""
    return [int(status) for status in _STATUS.findall(answer) if status != b"100"]


def _post(*headers: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    lines = [b"POST /login HTTP/" + version, b"Host: localhost", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


_CHUNKED: Final = b"Transfer-Encoding: chunked"
_IN_CHUNK: Final = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
# Each could be cut differently by two readers; a second response would show that the hidden request was seen.
AMBIGUOUS: Final[dict[str, bytes]] = {
    "length and chunks": _post(b"Content-Length: 6", _CHUNKED, body=b"0\r\n\r\n" + SMUGGLED),
    "chunks and length": _post(_CHUNKED, b"Content-Length: 3", body=b"0\r\n\r\n" + SMUGGLED),
    "two lengths": _post(b"Content-Length: 0", b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED),
    "two equal lengths": _post(b"Content-Length: 0", b"Content-Length: 0", body=SMUGGLED),
    "a list of lengths": _post(b"Content-Length: 0, 0", body=SMUGGLED),
    "a signed length": _post(b"Content-Length: +0", body=SMUGGLED),
    "a negative length": _post(b"Content-Length: -1", body=SMUGGLED),
    "a length in hexadecimal": _post(b"Content-Length: 0x0", body=SMUGGLED),
    "a length with an underscore": _post(b"Content_Length: 0", b"Content-Length: 0_0", body=SMUGGLED),
    "a length with a vertical tab": _post(b"Content-Length: \x0b0", body=SMUGGLED),
    "an unknown coding": _post(b"Transfer-Encoding: xchunked", body=_IN_CHUNK),
    "two codings": _post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + SMUGGLED),
    "coding twice": _post(_CHUNKED, b"Transfer-Encoding: identity", body=b"0\r\n\r\n" + SMUGGLED),
    "space before the colon": _post(b"Content-Length : 6", _CHUNKED, body=b"0\r\n\r\n" + SMUGGLED),
    "coding with a space before": _post(
        b"Transfer-Encoding : chunked", b"Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "coding with a tab": _post(
        b"Transfer-Encoding:\tchunked\x0b", b"Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "a folded line": _post(
        b"X: a", b" Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED
    )[:-1],
    "a folded coding": _post(
        b"Transfer-Encoding:", b" chunked", b"Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "a bare line feed": _post(
        b"X: a\nTransfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "a bare carriage return": _post(b"X: a\rTransfer-Encoding: chunked", b"Content-Length: 0", body=SMUGGLED),
    "a null": _post(b"X: a\x00b", b"Content-Length: 0", body=SMUGGLED),
    "chunks in HTTP/1.0": _post(_CHUNKED, body=_IN_CHUNK, version=b"1.0"),
    "a chunk size with a sign": _post(_CHUNKED, body=b"+0\r\n\r\n" + SMUGGLED),
    "a chunk size with 0x": _post(_CHUNKED, body=b"0x0\r\n\r\n" + SMUGGLED),
    "a negative chunk size": _post(_CHUNKED, body=b"-1\r\n\r\n" + SMUGGLED),
    "a chunk without its end": _post(_CHUNKED, body=b"3\r\nabcX\r\n0\r\n\r\n" + SMUGGLED),
    "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "an odd version": b"GET / HTTP/1.7x\r\nHost: localhost\r\n\r\n",
}
REFUSED: Final = (
    "length and chunks",
    "two lengths",
    "a list of lengths",
    "a signed length",
    "two hosts",
    "an odd version",
)
