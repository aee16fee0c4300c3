"""Somebody who comes by meanwhile: how long signing in takes, and how soon a process says that it lives."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Self

from tests.bench.streams.client import fetch, request, sign_in
from tests.bench.streams.plan import Job

HEALTH_SECONDS = 0.1
SIGN_IN_EVERY = 10  # looks at the health


class Visitor:
    """Looks at the server from a thread of its own while the streams run; latencies in seconds."""

    def __init__(self, job: Job) -> None:
        self.health: list[float] = []
        self.logins: list[float] = []
        self._job = job
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _run(self) -> None:
        turn = 0
        while not self._over.wait(HEALTH_SECONDS):
            with contextlib.suppress(OSError):
                began = time.monotonic()
                fetch(self._job.port, request("GET /healthz/live"))
                self.health.append(time.monotonic() - began)
                if turn % SIGN_IN_EVERY == 0:
                    began = time.monotonic()
                    sign_in(self._job.port, 1)
                    self.logins.append(time.monotonic() - began)
            turn += 1
