"""A balancer between clients and several servers: each connection goes to one that says it is ready."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

POLL_SECONDS = 0.1
PIECE = 65_536


@dataclass
class Balancer:
    """Listens on a port of its own; turns away from a server once its readiness says no, or nobody listens."""

    ports: list[int]
    ready: set[int] = field(default_factory=set)
    _turn: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._open = True
        for work in (self._accept, self._look):
            threading.Thread(target=work, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._open = False
        self._listener.close()

    def _look(self) -> None:
        while self._open:
            self.ready = {port for port in self.ports if _is_ready(port)}
            time.sleep(POLL_SECONDS)

    def _accept(self) -> None:
        while self._open:
            with contextlib.suppress(OSError):
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), self._connect() as server:
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()

    def _connect(self) -> socket.socket:
        """Connect to the next one that is ready; where the connection is refused, to the one after it."""
        while self._open:
            candidates = sorted(self.ready)
            for number in range(len(candidates)):
                port = candidates[(next(self._turn) + number) % len(candidates)]
                with contextlib.suppress(ConnectionRefusedError):
                    return socket.create_connection(("127.0.0.1", port), timeout=60)
            time.sleep(POLL_SECONDS)
        raise ConnectionError


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what comes until it ends, then the end."""
    source.settimeout(None)
    with contextlib.suppress(OSError):
        while data := source.recv(PIECE):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz/ready", timeout=5):
            return True
    except OSError:
        return False
