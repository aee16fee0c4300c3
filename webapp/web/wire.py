"""Pieces of a streamed response, written straight to the connection by whoever has them.

A stream that gets a small piece twenty times a second would otherwise cost, for each of them, a switch to the
greenlet that serves it and back, and the way through the layers of the server.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from webapp.lib import offload

SEND_TIMEOUT_SECONDS: Final = 30
SEND_BUFFER_BYTES: Final = 65_536  # the system's own limit is megabytes, for each reader that does not read


class Wire:
    """The connection under a response that is sent in chunks, for the time in which nobody else writes to it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.unsent = b""

    def send(self, data: bytes) -> bool:
        """Send a chunk without waiting; tell whether all of it went, else `finish` has to be called.

        Raises nothing: a connection that is gone is found out by `finish`.
        """
        chunk = b"%x\r\n%b\r\n" % (len(data), data)
        try:
            # Not `connection.send`, which waits. A connection closed here has no descriptor any more.
            sent = os.write(self._connection.fileno(), chunk)
        except OSError:
            sent = 0
        self.unsent = chunk[sent:]
        return not self.unsent

    def finish(self) -> None:
        """Send what remains, for as long as the connection's time-out allows; raises OSError."""
        unsent, self.unsent = self.unsent, b""
        self._connection.sendall(unsent)


def wire_of(environ: Mapping[str, Any]) -> Wire | None:
    """Return the connection of a request, if the server is ours and its response will be in plain chunks.

    Only where greenlets take turns: then nobody can write in the middle of what another writes.
    """
    connection = environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket) or isinstance(connection, ssl.SSLSocket):
        return None
    in_chunks = environ.get("SERVER_PROTOCOL") == "HTTP/1.1"
    return Wire(connection) if in_chunks and offload.under_gevent() else None


def limit_sending(environ: Mapping[str, Any]) -> None:
    """Let a write to a client that never reads fail after a while, so that it holds no worker for ever.

    The same for a client that vanished without a word: what is sent to it is never acknowledged.
    """
    connection = environ.get("gunicorn.socket")
    if connection is not None:
        with suppress(OSError, AttributeError):  # AttributeError: where the system has no such option
            connection.settimeout(SEND_TIMEOUT_SECONDS)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            milliseconds = SEND_TIMEOUT_SECONDS * 1000
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
