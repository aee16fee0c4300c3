"""urllib3's connections and pools, with checked addresses, one exchange each, and bodies read by the socketful."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Collection
from typing import Any, Final

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from webapp.lib.outbound import addresses
from webapp.lib.outbound.errors import OutboundError, Trouble
from webapp.lib.outbound.exchange import Exchange

READ_BYTES: Final = 16_384  # the work one read brings is bounded, so that a burst does not hold others up
KEEP_IDLE: Final = 32
IDLE_SECONDS: Final = 45.0
_SIZE_LINE_BYTES: Final = 4_096


class Gate:
    """What the connections of one origin share: who may be called, how long to try, and for whom."""

    def __init__(self, allow_hosts: Collection[str], connect_seconds: float) -> None:
        self.allow_hosts = allow_hosts
        self.connect_seconds = connect_seconds
        # Looked up now, not on import: gevent may have put its own in place since.
        self.current = threading.local()

    @property
    def exchange(self) -> Exchange:
        """The request that this thread is sending."""
        exchange: Exchange = self.current.exchange
        return exchange


class Body(http.client.HTTPResponse):
    """A response whose `read1` gives all the chunks that one read of the socket brought.

    The library's own gives one chunk a call, which for a model's answer is one token.
    """

    _left = 0  # bytes of the open chunk that are still to come, its line end included
    _rest = b""
    _in_trailer = False

    def read1(self, n: int = -1) -> bytes:
        """Return some of the body; empty at its end; raises IncompleteRead when it breaks off."""
        if not self.chunked or self.fp is None:
            return super().read1(n)
        while True:
            raw: bytes = self.fp.read1(READ_BYTES)
            if not raw:
                raise http.client.IncompleteRead(b"")
            data, ended = self._open_chunks(self._rest + raw if self._rest else raw)
            if ended:
                self.close()
            if data or ended:
                return data

    def _open_chunks(self, raw: bytes) -> tuple[bytes, bool]:
        parts: list[bytes] = []
        at, end, left = 0, len(raw), self._left
        while at < end and not self._in_trailer:
            if left > 2:
                taken = raw[at : at + left - 2]
                parts.append(taken)
                at += len(taken)
                left -= len(taken)
            elif left:
                skipped = min(left, end - at)
                at += skipped
                left -= skipped
            else:
                stop = raw.find(b"\n", at)
                if stop < 0:
                    break
                left = _size_of(raw[at:stop]) + 2
                at = stop + 1
                self._in_trailer = left == 2
        self._left, self._rest = left, raw[at:]
        if len(self._rest) > _SIZE_LINE_BYTES:
            raise http.client.LineTooLong("chunk")
        return b"".join(parts), self._in_trailer and self._trailer_ended()

    def _trailer_ended(self) -> bool:
        return self._rest.startswith((b"\r\n", b"\n")) or b"\r\n\r\n" in self._rest or b"\n\n" in self._rest


def _size_of(line: bytes) -> int:
    """Return the size that a chunk's first line says."""
    digits = line.split(b";", 1)[0].strip()
    if not digits.isalnum():
        raise http.client.HTTPException("a chunk without a size")
    return int(digits, 16)


class _Guarded:
    """What both kinds of connection add to urllib3's."""

    gate: Gate
    exchange: Exchange | None = None
    idle_since = 0.0

    def dial(self, host: str, port: int) -> socket.socket:
        """Return a socket connected to an address that may be called."""
        exchange = self.gate.exchange
        self.exchange = exchange
        deadline = time.monotonic() + self.gate.connect_seconds
        found = addresses.resolve(host, port, self.gate.allow_hosts, self.gate.connect_seconds)
        trouble = OutboundError(Trouble.UNREACHABLE, host)
        for number, (family, where) in enumerate(found):
            seconds = (deadline - time.monotonic()) / (len(found) - number)
            try:
                return _connect(family, where, max(seconds, 0.05), exchange)
            except TimeoutError:
                trouble = OutboundError(Trouble.CONNECT_TIMEOUT, f"{host}:{port} at {where[0]}")
            except OSError as fault:
                exchange.check()
                trouble = OutboundError(Trouble.UNREACHABLE, f"{host}:{port} at {where[0]}: {fault.strerror}")
        raise trouble


def _connect(family: int, where: Any, seconds: float, exchange: Exchange) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        exchange.adopt(sock)
        sock.connect(where)
        exchange.check()
        if sock.getpeername()[0] != where[0]:
            raise OutboundError(Trouble.FORBIDDEN, f"connected to {sock.getpeername()[0]}")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        exchange.leave()
        sock.close()
        raise
    return sock


class PlainConnection(_Guarded, HTTPConnection):
    """HTTP."""

    response_class = Body

    def _new_conn(self) -> socket.socket:
        return self.dial(self.host, self.port)


class TlsConnection(_Guarded, HTTPSConnection):
    """HTTPS; the handshake can be aborted too."""

    response_class = Body
    stand_in: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        sock = self.dial(self.host, self.port or 443)
        self.stand_in = (
            sock.dup()
        )  # the handshake makes another object of the socket and hands it out at its end
        self.gate.exchange.adopt(self.stand_in)
        return sock

    def connect(self) -> None:
        """Connect and shake hands."""
        try:
            super().connect()
            self.gate.exchange.adopt(self.sock)
        finally:
            if self.stand_in is not None:
                if self.sock is None:
                    self.gate.exchange.leave()
                self.stand_in.close()
                self.stand_in = None


class _Pool:
    """What both kinds of pool add to urllib3's."""

    gate: Gate

    def taken(self, connection: Any) -> Any:
        """Give a connection to the request of this thread; one that idled for long is opened anew."""
        connection.gate = self.gate
        connection.exchange = self.gate.exchange
        if connection.sock is not None:
            if time.monotonic() - connection.idle_since > IDLE_SECONDS:
                connection.close()
            else:
                self.gate.exchange.adopt(connection.sock)
        return connection

    def given_back(self, connection: Any, idle: Any) -> None:
        """Part a connection from its request; one too many is closed."""
        if connection.exchange is not None:
            connection.exchange.leave()
            connection.exchange = None
        connection.idle_since = time.monotonic()
        if idle is None or idle.full():
            connection.close()


class PlainPool(_Pool, HTTPConnectionPool):
    """Connections to an origin over HTTP."""

    ConnectionCls = PlainConnection

    def _get_conn(self, timeout: float | None = None) -> Any:
        return self.taken(super()._get_conn(timeout))

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            self.given_back(conn, self.pool)
        super()._put_conn(conn)


class TlsPool(_Pool, HTTPSConnectionPool):
    """Connections to an origin over HTTPS."""

    ConnectionCls = TlsConnection

    def _get_conn(self, timeout: float | None = None) -> Any:
        return self.taken(super()._get_conn(timeout))

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            self.given_back(conn, self.pool)
        super()._put_conn(conn)
