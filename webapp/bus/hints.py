"""Hints between processes: that something has changed, so that nobody has to wait for his next look."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

import redis

from webapp.bus.line import Line
from webapp.lib import clock

log = logging.getLogger(__name__)

PROBE_SECONDS: Final = 1.0
LISTEN_SECONDS: Final = 1.0  # a wait for a message, after which is seen whether Redis was away
PENDING_MOST: Final = 1_000

Handler = Callable[[str], object]


class Hints:
    """Tells other processes that something changed, and hears what they tell.

    A handler gets the word that was told with the hint, an empty one when something may have been missed. It is
    called in the thread that listens and must return at once.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._handlers: dict[str, list[Handler]] = {}
        self._pending: dict[tuple[str, str], None] = {}
        self._work = threading.Event()
        self._running = False
        self._lock = threading.Lock()

    def on(self, topic: str, handler: Handler) -> None:
        """Call the handler at each hint about the topic."""
        self._handlers.setdefault(topic, []).append(handler)

    def tell(self, topic: str, word: str = "") -> None:
        """Give a hint, after the commit of what it is about; never raises, and in a started process never waits."""
        if not self._line.configured:
            return
        if not self._running:
            self._send([(topic, word)])
        elif len(self._pending) < PENDING_MOST:
            with self._lock:
                self._pending[topic, word] = None
            self._work.set()

    def start(self) -> None:
        """Start the two loops; harmless when they run, and where there is no Redis."""
        with self._lock:
            if self._running or not self._line.configured:
                return
            self._running = self._line.watched = True
            for loop in (self._talk, self._listen):
                threading.Thread(target=loop, name=f"bus{loop.__name__}", daemon=True).start()

    def stop(self) -> None:
        """End the loops."""
        self._running = self._line.watched = False
        self._work.set()

    def _talk(self) -> None:
        """Send what is to be told, and look every second whether Redis is there."""
        probe_at = 0.0
        while self._running:
            if clock.monotonic() >= probe_at:
                self._line.probe()
                probe_at = clock.monotonic() + PROBE_SECONDS
            if self._work.wait(PROBE_SECONDS):
                self._work.clear()
                with self._lock:
                    told, self._pending = list(self._pending), {}
                self._send(told)

    def _send(self, told: list[tuple[str, str]]) -> None:
        def publish(client: redis.Redis) -> None:
            pipeline: Any = client.pipeline(transaction=False)
            for topic, word in told:
                pipeline.publish(self._channel(topic), word)
            pipeline.execute()

        if told:
            self._line.call(publish)

    def _listen(self) -> None:
        """Hear hints; whenever the connection is new, everything may have changed."""
        while self._running:
            try:
                self._hear()
            except (redis.RedisError, OSError) as error:
                log.debug("not listening", extra={"error": type(error).__name__})
                self._pause()
            except Exception:
                log.exception("hint not followed")
                self._pause()

    def _hear(self) -> None:
        client: Any = self._line.listener()
        subscription = client.pubsub(ignore_subscribe_messages=True)
        try:
            subscription.subscribe(*(self._channel(topic) for topic in self._handlers))
            for topic in self._handlers:
                self._follow(topic, "")
            was_up = lost = False
            while self._running:
                message = subscription.get_message(timeout=LISTEN_SECONDS)
                if message is not None:
                    topic = message["channel"].decode().rpartition(":")[2]
                    self._follow(topic, message["data"].decode("utf-8", "replace"))
                # What was said while Redis was away is lost, though the connection may have survived.
                if self._line.up:
                    if lost:
                        return
                    was_up = True
                else:
                    lost = was_up
        finally:
            subscription.close()

    def _follow(self, topic: str, word: str) -> None:
        for handler in self._handlers[topic]:
            handler(word)

    def _pause(self) -> None:
        threading.Event().wait(PROBE_SECONDS)

    def _channel(self, topic: str) -> str:
        return f"{self._line.prefix}:{topic}"
