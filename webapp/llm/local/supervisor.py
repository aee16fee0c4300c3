"""Keeps the model's process alive, and says in the instance folder where it listens.

Runs as a process of its own beside the server (`python -m webapp.llm.local`), so that neither the server's
forks nor its event loop meet the threads in here. It ends when its standard input closes, and takes the model
with it.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from webapp.llm.local import endpoint
from webapp.llm.local.endpoint import LocalEndpoint

CHILD: Final = (sys.executable, "-P", str(Path(__file__).with_name("child.py")))
READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 5.0
PAUSES_SECONDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
STEADY_SECONDS: Final = 60.0  # who lived so long is not counted as failing
FAILURES_SHOWN: Final = 3  # from so many on, the state is failed and no longer starting
LASTING: Final = frozenset({"no_engine", "no_libgomp"})  # trying again would not help


def generation_threads() -> int:
    """Return half the cores this process may use: with one thread a core and other load, decoding collapses."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // 2)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which model to load, and how much of the machine it may take."""

    path: Path
    model: str
    demonstration: bool = False
    slots: int = 4
    context_tokens: int = 2048
    max_tokens: int = 1024

    def order(self, key: str) -> dict[str, Any]:
        """Return what the model's process is told on its standard input."""
        return {
            "path": str(self.path),
            "model": self.model,
            "key": key,
            "slots": self.slots,
            "context_tokens": self.context_tokens,
            "max_tokens": self.max_tokens,
            "threads": generation_threads(),
        }

    def endpoint(self, port: int, key: str) -> LocalEndpoint:
        """Return how the model is reached once it listens on a port."""
        url = f"http://127.0.0.1:{port}/v1"
        bounds = (self.slots, self.context_tokens, self.max_tokens)
        return LocalEndpoint(url, key, self.model, *bounds, demonstration=self.demonstration)


class Supervisor:
    """Runs one model's process, again and again with growing pauses, until it is stopped."""

    def __init__(
        self,
        instance: Path,
        plan: Plan,
        *,
        command: Sequence[str] = CHILD,
        ready_seconds: float = READY_SECONDS,
        pauses_seconds: Sequence[float] = PAUSES_SECONDS,
    ) -> None:
        self._instance = instance
        self._plan = plan
        self._command = command
        self._ready_seconds = ready_seconds
        self._pauses_seconds = pauses_seconds
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._failures = 0

    def run(self) -> None:
        """Keep the model running until `stop`; what is published is withdrawn at the end."""
        try:
            while not self._stopping.is_set():
                state, detail = self._run_once()
                if self._stopping.is_set():
                    break
                _tell(detail)
                if state in LASTING:
                    endpoint.publish(self._instance, state, detail)
                    self._stopping.wait()
                    break
                self._failures += 1
                shown: endpoint.State = "failed" if self._failures >= FAILURES_SHOWN else "starting"
                endpoint.publish(self._instance, shown, detail)
                self._stopping.wait(self._pauses_seconds[min(self._failures, len(self._pauses_seconds)) - 1])
        finally:
            endpoint.withdraw(self._instance)

    def stop(self) -> None:
        """End the model's process, by force if it does not go; safe from any thread and more than once."""
        self._stopping.set()
        with self._starting:
            child = self._child
        if child is None or child.stdin is None:
            return
        child.stdin.close()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _run_once(self) -> tuple[endpoint.State, str]:
        """Start the process, wait until it ends, and return why."""
        key = secrets.token_urlsafe(32)
        with self._starting:
            if self._stopping.is_set():
                return "starting", ""
            if self._failures < FAILURES_SHOWN:
                endpoint.publish(self._instance, "starting")
            self._child = subprocess.Popen(  # noqa: S603
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        with self._child as child:
            try:
                return self._attend(child, key)
            finally:
                child.kill()

    def _attend(self, child: subprocess.Popen[bytes], key: str) -> tuple[endpoint.State, str]:
        report = self._first_report(child, key)
        if report["state"] != "ready":
            return report["state"], f"The embedded model did not start: {report['detail']}"
        ready_at = time.monotonic()
        endpoint.publish(self._instance, "ready", where=self._plan.endpoint(report["port"], key))
        code = child.wait()
        if time.monotonic() - ready_at > STEADY_SECONDS:
            self._failures = 0
        return "failed", f"The embedded model's process ended (code {code}) and is started again."

    def _first_report(self, child: subprocess.Popen[bytes], key: str) -> dict[str, Any]:
        """Tell the process what to load and return its report; one that takes too long is ended."""
        assert child.stdin is not None  # noqa: S101
        assert child.stdout is not None  # noqa: S101
        patience = threading.Timer(self._ready_seconds, child.kill)
        patience.daemon = True
        patience.start()
        try:
            child.stdin.write((json.dumps(self._plan.order(key)) + "\n").encode())
            report: dict[str, Any] = json.loads(child.stdout.readline())
        except (OSError, ValueError):
            return {"state": "failed", "detail": "its process ended, or said nothing in time."}
        finally:
            patience.cancel()
        return report


def _tell(sentence: str) -> None:
    """Write a sentence where the person who started the program sees it."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
