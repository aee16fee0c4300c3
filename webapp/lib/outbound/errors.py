"""How a request to another server can fail."""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """Kinds of failure that callers tell apart."""

    FORBIDDEN = "forbidden"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS = "tls"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    ABORTED = "aborted"


class OutboundError(Exception):
    """A request that did not come to its end; `detail` is for logs and administrators."""

    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        super().__init__(f"{trouble.value}: {detail}")
        self.trouble = trouble
        self.detail = detail
