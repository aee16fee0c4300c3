"""The line to Redis: every call is short, and after one that failed nobody else waits for a while."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.connection import BlockingConnectionPool
from redis.retry import Retry

from webapp.lib import clock

T = TypeVar("T")

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 0.4
ANSWER_SECONDS: Final = 0.5
QUEUE_SECONDS: Final = 0.3  # for one of the connections
CONNECTIONS: Final = 20
AGAIN_SECONDS: Final = 2.0  # after a failure, until the next call is tried
PROBE_LIFE_SECONDS: Final = 60
_FAILURES: Final = (redis.RedisError, OSError)


class Line:
    """Calls of Redis from this process; knows whether it answers, and takes writes."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        # Several deployments may use one Redis; the processes of one have the same secret.
        self.prefix = f"agent-tools:{hashlib.sha256(f'bus/{secret}'.encode()).hexdigest()[:12]}"
        self.watched = False  # whether a loop probes it
        self._client: redis.Redis | None = None
        self._down_until = 0.0
        self._error = ""

    @property
    def configured(self) -> bool:
        """Whether there is a Redis at all."""
        return bool(self.url)

    @property
    def up(self) -> bool:
        """Whether it did what it was last asked, so far as is known."""
        return self.configured and not self._down_until

    @property
    def error(self) -> str:
        """What went wrong with the last call, as the name of an error; nothing while it is up."""
        return self._error

    @property
    def client(self) -> redis.Redis:
        """The client, whose calls end within a second, with a RedisError or OSError where they fail."""
        if self._client is None:
            pool: Any = BlockingConnectionPool.from_url(
                self.url, max_connections=CONNECTIONS, timeout=QUEUE_SECONDS, **_options()
            )
            self._client = redis.Redis(connection_pool=pool)
        return self._client

    def listener(self) -> redis.Redis:
        """Return a client of its own for a connection that is held."""
        return redis.Redis.from_url(self.url, **_options())

    def call(self, function: Callable[[redis.Redis], T]) -> T | None:
        """Return what the function makes of the client; None without Redis, and while it is away."""
        if not self._may_try():
            return None
        try:
            return function(self.client)
        except _FAILURES as error:
            self._failed(error)
            return None

    def probe(self) -> bool:
        """Ask whether it answers and takes writes; until the next probe, calls go by the answer."""
        if not self.configured:
            return False
        try:
            self.client.set(f"{self.prefix}:probe", 1, ex=PROBE_LIFE_SECONDS)
        except _FAILURES as error:
            self._failed(error)
            return False
        if self._down_until:
            log.info("redis is back")
        self._down_until, self._error = 0.0, ""
        return True

    def _may_try(self) -> bool:
        """Tell whether it is up; where nobody watches it, somebody asks now and then."""
        if not self.configured:
            return False
        if not self._down_until:
            return True
        now = clock.monotonic()
        if self.watched or now < self._down_until:
            return False
        self._down_until = now + AGAIN_SECONDS  # the others go on without
        return self.probe()

    def _failed(self, error: Exception) -> None:
        name = type(error).__name__
        if self._error != name:
            log.warning("redis does not answer", extra={"error": name})
        self._down_until, self._error = clock.monotonic() + AGAIN_SECONDS, name


def _options() -> dict[str, Any]:
    return {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),  # the client's own tries would add up to half a minute
        "protocol": 2,
        "driver_info": None,
    }
