"""A TCP proxy that does to connections what networks do: delays, cuts, silence."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator

PIECE = 65_536


class FaultProxy:
    """Stands between a program and a server; the faults may be set and taken back at any time."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.delay_seconds = 0.0  # of each piece, each way
        self._flows = threading.Event()
        self._flows.set()
        self._sockets: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._sockets) // 2

    def silence(self) -> None:
        """Take what is sent, and pass nothing on: as where packets are dropped."""
        self._flows.clear()

    def resume(self) -> None:
        """Pass everything on again."""
        self.delay_seconds = 0.0
        self._flows.set()

    def cut(self) -> None:
        """Reset every open connection; new ones are possible."""
        for each in tuple(self._sockets):
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._open = False
        self._listener.close()
        self.resume()
        self.cut()

    def _accept(self) -> None:
        while self._open:
            with contextlib.suppress(OSError):
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            client,
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.target)) as server,
        ):
            pair = {client, server}
            self._sockets |= pair
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            back.join()
            self._sockets -= pair

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                if self.delay_seconds:
                    time.sleep(self.delay_seconds)
                self._flows.wait()
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def fault_proxy(target: int) -> Iterator[FaultProxy]:
    proxy = FaultProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
