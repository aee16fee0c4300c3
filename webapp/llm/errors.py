"""How asking a provider can fail."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


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


SENTENCES: Final = {
    ProviderErrorKind.AUTH: "The provider does not accept the key.",
    ProviderErrorKind.QUOTA: "The account with the provider has no credit left.",
    ProviderErrorKind.RATE_LIMITED: "The provider is busy, or limits how often it is asked.",
    ProviderErrorKind.TIMEOUT: "The provider did not answer in time.",
    ProviderErrorKind.STALLED: "The provider stopped in the middle of the answer.",
    ProviderErrorKind.UNAVAILABLE: "The provider cannot be reached, or fails.",
    ProviderErrorKind.REJECTED: "The provider refused the request.",
    ProviderErrorKind.PROTOCOL: "The provider sent something that cannot be read.",
    ProviderErrorKind.TRUNCATED: "The answer broke off before its end.",
}


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
        super().__init__(f"{SENTENCES[kind]} ({kind.value}: {detail})")
        self.kind = kind
        self.detail = detail
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds


class Aborted(Exception):
    """The stream was ended from our side by `abort`."""
