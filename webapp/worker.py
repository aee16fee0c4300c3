"""The web worker: gunicorn's on gevent, with an end that readers do not notice and waits that are bounded.

The master imports this module before the sockets are switched to the event loop, so the application is
imported in the functions, which run after that.
"""

from __future__ import annotations

import logging
import os
import sys
from types import FrameType
from typing import Any, Final

import gevent
from gevent import socket
from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker
from werkzeug.exceptions import ClientDisconnected

from webapp import serve

# A peer that neither sends its body nor reads its answer is let go; longer than gunicorn's keepalive.
SOCKET_SECONDS: Final = 60
FINISH_SECONDS: Final = 8.0  # answers under way may still end, once the connections are gone

REFUSAL: Final = (
    "HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n"
    "Content-Security-Policy: default-src 'none'\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
    "\r\n{reason}\n"
)


def refuse(sock: socket.socket, status: int, reason: str, _message: str) -> None:
    """Answer what is not a proper request, so that no application sees it: with our headers, echoing nothing."""
    answer = REFUSAL.format(status=status, reason=reason, length=len(reason) + 1)
    util.write_nonblock(sock, answer.encode("latin-1"))


util.write_error = refuse
wsgi.SERVER = "agent-tools"  # what the Server header says: nothing about versions


class Worker(GeventWorker):  # type: ignore[misc]
    """Serves one process; at the first TERM it sends open streams elsewhere and ends when they are gone."""

    quitting = False
    serving = False  # set once what runs beside the requests has started

    def run(self) -> None:
        """Start what runs beside the requests, serve, and commit what is under way at the end."""
        from webapp import app as application
        from webapp.lib import garbage

        seconds = FINISH_SECONDS
        try:
            application.start_background(self.wsgi)
            self.serving = True
            garbage.collect_by_clock()
            self.announce()
            super().run()
        except SystemExit:  # Ctrl-C, or the master is gone
            seconds = 0.0
        finally:
            if self.serving:  # else nothing is under way, and what has half started cannot be stopped
                self.dismiss()
                application.finish_shutdown(self.wsgi, seconds)
        self.leave()

    def leave(self) -> None:
        """End this process: all is committed, and the interpreter's own farewell only trips over patched locks."""
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    def announce(self) -> None:
        """Say where the program is to be found: once, by the first worker, when connections get an answer."""
        from webapp import app as application

        settings = self.wsgi.extensions["settings"]
        if self.age == 1 and settings.profile != "production":
            sys.stdout.write(serve.welcome(settings, application.setup_token(self.wsgi)))
            sys.stdout.flush()

    def dismiss(self) -> None:
        """Send open streams elsewhere and take on nothing new; harmless when done before, and before serving.

        TERM may come while the application is still being loaded or started: `run` then ends by itself.
        """
        from webapp import app as application

        if self.serving and not self.wsgi.extensions.get("draining"):
            application.begin_shutdown(self.wsgi)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """TERM: whoever sends us requests gets time to turn away, then connections get time to end."""
        gevent.spawn(self.dismiss)
        seconds = self.wsgi.extensions["settings"].drain_seconds if self.serving else 0
        gevent.spawn_later(seconds, super().handle_exit, sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Ctrl-C: end at once; the terminal and the master both say so, which must not break the last commit."""
        if not self.quitting:
            self.quitting = True
            super().handle_quit(sig, frame)

    def handle(self, listener: Any, client: socket.socket, address: Any) -> None:
        """Serve one connection; unlike gunicorn's own, no single wait on it is for ever."""
        client.settimeout(SOCKET_SECONDS)
        AsyncWorker.handle(self, listener, client, address)

    def handle_request(self, listener_name: Any, req: Any, sock: socket.socket, address: Any) -> None:
        """Serve one request; a peer that stopped reading ends its connection without noise."""
        req.body.reader = BodyReader(req.body.reader)
        try:
            super().handle_request(listener_name, req, sock, address)
        except TimeoutError:
            raise StopIteration from None


class BodyReader:
    """Reads a request's body; one that stops arriving is the sender's fault (400), not ours (500)."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read(self, size: int) -> bytes:
        """Return up to so many bytes; raises ClientDisconnected when none came for too long."""
        try:
            return bytes(self._reader.read(size))
        except TimeoutError:
            raise ClientDisconnected from None
