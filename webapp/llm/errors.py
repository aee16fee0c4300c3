"""How asking a provider can fail."""

from __future__ import annotations

from enum import StrEnum


class ProviderErrorKind(StrEnum):
    """Kinds of failure that are told apart, in words, to the person."""

    AUTH = "provider_auth"
    QUOTA = "provider_quota"
    RATE_LIMITED = "provider_rate_limited"
    TIMEOUT = "provider_timeout"
    STALLED = "provider_stalled"
    UNAVAILABLE = "provider_unavailable"
    REJECTED = "provider_rejected"
    PROTOCOL = "provider_protocol"
    TRUNCATED = "provider_truncated"


class ProviderError(Exception):
    """A failure of a provider. `detail` is redacted and for logs and administrators only."""

    def __init__(
        self,
        kind: ProviderErrorKind,
        detail: str = "",
        *,
        retryable: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{kind.value}: {detail}")
        self.kind = kind
        self.detail = detail
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds


class Aborted(Exception):
    """The stream was ended from our side by `abort`."""
