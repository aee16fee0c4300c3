"""Requests to one origin: posted, read as they arrive, aborted from any thread."""

from __future__ import annotations

import contextlib
import os
import queue
import ssl
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

import certifi
from urllib3 import BaseHTTPResponse, Timeout
from urllib3 import exceptions as faults

from webapp.lib.outbound.connections import KEEP_IDLE, READ_BYTES, Gate, PlainPool, TlsPool
from webapp.lib.outbound.errors import OutboundError, Trouble
from webapp.lib.outbound.exchange import Exchange

ERROR_BODY_BYTES: Final = 65_536
_CLOSING_SECONDS: Final = 0.1


class Reply:
    """A response whose body is still on its way."""

    def __init__(self, response: BaseHTTPResponse, exchange: Exchange) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._exchange = exchange
        self._packed = response.headers.get("content-encoding", "identity").lower() != "identity"

    def read(self) -> bytes:
        """Return what has arrived, at most READ_BYTES, waiting for some; empty at the end of the body."""
        try:
            data = self._response.read1(READ_BYTES, decode_content=self._packed)
        except (faults.HTTPError, OSError, ValueError, AttributeError) as fault:
            self._exchange.check()
            raise _in_words(fault) from fault
        if not data:
            self._exchange.check()
        return data

    def read_all(self, limit: int = ERROR_BODY_BYTES) -> bytes:
        """Return the body, or so many bytes of it."""
        parts: list[bytes] = []
        size = 0
        while size < limit and (data := self.read()):
            parts.append(data)
            size += len(data)
        return b"".join(parts)[:limit]

    def finish(self) -> None:
        """Take the end of a body whose content is complete, so that its connection can be used again."""
        with contextlib.suppress(OutboundError):
            self._exchange.set_timeout(_CLOSING_SECONDS)
            while self.read():
                pass

    def close(self) -> None:
        """Release the connection, and end it unless the body was read to its end; harmless when repeated."""
        self._exchange.leave()
        self._response.close()
        self._response.release_conn()


class Outbound:
    """Posts to one origin, `https://host` or `http://host:port`, whatever the environment says about proxies."""

    def __init__(
        self, base_url: str, *, allow_hosts: Collection[str] = (), connect_seconds: float = 5.0
    ) -> None:
        url = urlsplit(base_url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ValueError("give a whole address, such as https://example.com/v1")
        self.origin = f"{url.scheme}://{url.netloc.rpartition('@')[2]}".lower()
        self.path = url.path.rstrip("/")
        self._gate = Gate(allow_hosts, connect_seconds)
        self._pool: PlainPool | TlsPool
        if url.scheme == "https":
            self._pool = TlsPool(
                url.hostname, url.port or 443, maxsize=KEEP_IDLE, ssl_context=_verifying_context()
            )
        else:
            self._pool = PlainPool(url.hostname, url.port or 80, maxsize=KEEP_IDLE)
        self._pool.gate = self._gate

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str], exchange: Exchange, *, first_seconds: float
    ) -> Reply:
        """Send the body and return the reply as soon as its head is there; redirects are returned, not followed."""
        self._gate.current.exchange = exchange
        exchange.check()
        try:
            response = self._pool.urlopen(
                "POST",
                path,
                body=body,
                headers={"User-Agent": "agent-tools", **headers, "Accept-Encoding": "identity"},
                retries=False,
                redirect=False,
                timeout=Timeout(connect=self._gate.connect_seconds, read=first_seconds),
                preload_content=False,
                decode_content=False,
            )
        except OutboundError:
            exchange.leave()
            raise
        except (faults.HTTPError, OSError, ValueError, AttributeError) as fault:
            exchange.leave()
            exchange.check()
            raise _in_words(fault) from fault
        finally:
            self._gate.current.exchange = None
        return Reply(response, exchange)

    def close(self) -> None:
        """Close the idle connections; those in use go on, and so may who still holds this object."""
        idle = self._pool.pool
        with contextlib.suppress(queue.Empty):
            while idle is not None:
                connection = idle.get(block=False)
                if connection is not None:
                    connection.close()


def _verifying_context() -> ssl.SSLContext:
    """Return what verifies certificates by the system's authorities, or by certifi's where it has none."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    has_folder = paths.capath is not None and any(os.scandir(paths.capath))
    if not has_folder and not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())
    return context


def _in_words(fault: Exception) -> OutboundError:
    """Return our error for one of the library's; addresses stay in, texts of the other side do not."""
    if isinstance(fault, faults.ConnectTimeoutError):
        return OutboundError(Trouble.CONNECT_TIMEOUT, str(fault))
    if isinstance(fault, faults.SSLError):
        return OutboundError(Trouble.TLS, str(fault))
    if isinstance(fault, faults.TimeoutError | TimeoutError):
        return OutboundError(Trouble.TIMEOUT, "nothing came in time")
    return OutboundError(Trouble.BROKEN, f"{type(fault).__name__}: {fault}")
