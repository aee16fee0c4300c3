"""Who has left: requests that wait for something else learn of it when the program at the other end hangs up.

A server notices that only when it writes. A request that waits for a model's first word, or for all of its words,
writes nothing, and would let the model go on for nobody.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from flask import Flask, current_app

from webapp.lib import clock, offload

LOOK_SECONDS: Final = 0.5
IDLE_SECONDS: Final = 15.0


@dataclass(slots=True, eq=False)
class Line:
    """The connection of one request under way; `idle` is called when nothing was sent for a while."""

    has_left: Callable[[], bool]
    left: Callable[[], None]
    idle: Callable[[], None] = lambda: None
    moved_at: float = field(default_factory=clock.monotonic)

    def moved(self) -> None:
        """Note that something was sent just now."""
        self.moved_at = clock.monotonic()


class Departures:
    """One loop looks at the connections of all requests that asked for it; it runs while there are any."""

    def __init__(self) -> None:
        self._lines: set[Line] = set()
        self._lock = threading.Lock()
        self._looking = False

    def watch(self, line: Line) -> None:
        """Look at a connection from now on."""
        with self._lock:
            self._lines.add(line)
            if not self._looking:
                self._looking = True
                threading.Thread(target=self._look, name="departures", daemon=True).start()

    def forget(self, line: Line) -> None:
        """Look at a connection no more; harmless when repeated."""
        self._lines.discard(line)

    def _look(self) -> None:
        while self._go_on():
            time.sleep(LOOK_SECONDS)
            idle_since = clock.monotonic() - IDLE_SECONDS
            for line in tuple(self._lines):
                if line.has_left():
                    self.forget(line)
                    line.left()
                elif line.moved_at < idle_since:
                    line.moved()
                    line.idle()

    def _go_on(self) -> bool:
        with self._lock:
            self._looking = bool(self._lines)
            return self._looking


def init_app(app: Flask) -> None:
    """Make the loop; it starts with the first request that asks for it."""
    app.extensions["departures"] = Departures()


def departures() -> Departures:
    """Return the departures of the application at hand."""
    return cast(Departures, current_app.extensions["departures"])


@contextlib.contextmanager
def watched(environ: Mapping[str, Any], left: Callable[[], None]) -> Iterator[None]:
    """Call `left`, from another thread, if the program hangs up before the block has ended."""
    line = line_of(environ, left)
    if line is None:
        yield
        return
    looking = departures()
    looking.watch(line)
    try:
        yield
    finally:
        looking.forget(line)


def line_of(environ: Mapping[str, Any], left: Callable[[], None]) -> Line | None:
    """Return the connection of a request, None where the server does not tell."""
    told = environ.get("waitress.client_disconnected")
    if callable(told):
        return Line(told, left)
    connection = environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket) or isinstance(connection, ssl.SSLSocket):
        return None
    return Line(lambda: _has_left(connection), left)


def _has_left(connection: socket.socket) -> bool:
    """Tell whether the other end has closed the connection; takes nothing from it and never waits."""
    try:
        if not offload.under_gevent():
            poll = select.poll()
            poll.register(connection, select.POLLIN)
            if not poll.poll(0):
                return False
        raw = getattr(connection, "_sock", connection)  # gevent's own would wait
        return bytes(raw.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)) == b""
    except BlockingIOError:
        return False
    except (OSError, ValueError):  # it is closed on this side
        return True
