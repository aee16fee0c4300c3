"""Where limits are counted: in Redis, so that all processes share them, and always in this process's memory too.

While Redis is away, memory alone decides, and it knows what this process has let pass before: whoever can take Redis
away gains no more than one fresh count in each of the other processes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis
from limits.storage import MemoryStorage, RedisStorage

from webapp.bus import Line


class SharedStorage(MemoryStorage):
    """The storage of the limiter; made by name, as that library wants it."""

    STORAGE_SCHEME = ["shared"]  # noqa: RUF012 - as that library declares it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:  # noqa: FBT001, FBT002
        super().__init__(uri, wrap_exceptions)
        self._line: Line = options["line"]
        self._redis: RedisStorage | None = None

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count something that is asked for, and tell whether it is within the limit."""
        shared = self._ask(lambda storage: storage.acquire_entry(key, limit, expiry, amount))
        if shared is False:
            return False
        here = super().acquire_entry(key, limit, expiry, amount)
        return here if shared is None else True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the window began and how much was counted in it."""
        found = self._ask(lambda storage: storage.get_moving_window(key, limit, expiry))
        return super().get_moving_window(key, limit, expiry) if found is None else found

    def check(self) -> bool:
        """Say that it can count: it always can."""
        return True

    def _ask(self, question: Callable[[RedisStorage], Any]) -> Any:
        """Return the answer of Redis; None where there is none, or not in time."""

        def ask(client: redis.Redis) -> Any:
            if self._redis is None:
                pool = client.connection_pool
                self._redis = RedisStorage(
                    self._line.url, connection_pool=pool, key_prefix=f"{self._line.prefix}:limit"
                )
            return question(self._redis)

        return self._line.call(ask)
