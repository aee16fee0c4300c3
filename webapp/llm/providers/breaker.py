"""A circuit breaker: a provider that keeps failing is left alone for a while."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from webapp import metrics
from webapp.lib import clock
from webapp.llm.errors import ProviderError, ProviderErrorKind

FAILURES: Final = 5
WITHIN_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 30.0
# What the provider can do nothing about by being left alone does not count.
_COUNTED: Final = {
    ProviderErrorKind.RATE_LIMITED,
    ProviderErrorKind.TIMEOUT,
    ProviderErrorKind.STALLED,
    ProviderErrorKind.UNAVAILABLE,
}


class Breaker:
    """Opens after so many failures in so short a time; after a pause one request tries whether it works again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._opened_at: float | None = None
        self._trying = False
        self._last_kind = ProviderErrorKind.UNAVAILABLE

    @property
    def is_open(self) -> bool:
        """Whether requests are refused now."""
        return self._opened_at is not None and clock.monotonic() - self._opened_at < PAUSE_SECONDS

    def enter(self) -> bool:
        """Let a request through and tell whether it is the one that tries; raises ProviderError during the pause."""
        with self._lock:
            if self._opened_at is None:
                return False
            left = self._opened_at + PAUSE_SECONDS - clock.monotonic()
            if left > 0 or self._trying:
                raise ProviderError(
                    self._last_kind, "left alone after repeated failures", retry_after_seconds=max(left, 1.0)
                )
            self._trying = True
            return True

    def succeeded(self) -> None:
        """Note an answer that began: all is well."""
        if self._opened_at is None and not self._failures:
            return
        with self._lock:
            self._failures.clear()
            self._opened_at = None
            self._trying = False

    def failed(self, kind: ProviderErrorKind, *, tried: bool) -> None:
        """Note a request that failed; `tried` as `enter` told."""
        with self._lock:
            if kind not in _COUNTED:
                return
            now = clock.monotonic()
            self._failures.append(now)
            self._last_kind = kind
            full = len(self._failures) == FAILURES and now - self._failures[0] <= WITHIN_SECONDS
            if tried or full:
                if self._opened_at is None:
                    metrics.count("provider_circuit_opened_total")
                self._opened_at = now

    def left(self) -> None:
        """Note that the request that tries is over, whatever it told."""
        with self._lock:
            self._trying = False
