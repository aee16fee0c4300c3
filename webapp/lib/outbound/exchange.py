"""A request under way, which any thread can abort."""

from __future__ import annotations

import contextlib
import socket
import threading

from webapp.lib.outbound.errors import OutboundError, Trouble


class Exchange:
    """What aborts a request wherever it stands: waiting, connecting, or reading.

    `close` of a socket does not wake a thread that reads from it; shutting it down does, at once.
    """

    def __init__(self) -> None:
        self.aborted = False
        self._sock: socket.socket | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()

    def abort(self) -> None:
        """End the request from any thread; harmless when repeated."""
        self.aborted = True
        self._over.set()
        with self._lock:
            if self._sock is not None:
                with contextlib.suppress(OSError):
                    self._sock.shutdown(socket.SHUT_RDWR)

    def adopt(self, sock: socket.socket) -> None:
        """Take the socket that the request uses now; raises OutboundError when aborted."""
        with self._lock:
            self._sock = sock
        self.check()

    def leave(self) -> None:
        """Let go of the socket: it is closed, or another request may use it next."""
        with self._lock:
            self._sock = None

    def check(self) -> None:
        """Raise OutboundError when aborted."""
        if self.aborted:
            raise OutboundError(Trouble.ABORTED)

    def pause(self, seconds: float) -> None:
        """Wait so long; raises OutboundError at once when aborted."""
        self._over.wait(seconds)
        self.check()

    def set_timeout(self, seconds: float) -> None:
        """Bound each further wait for bytes."""
        with self._lock:
            if self._sock is not None:
                self._sock.settimeout(seconds)
