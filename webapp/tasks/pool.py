"""Processes that execute runs, so that a run that hangs or eats memory can be ended.

Each is `python -m webapp.runner`: it takes the settings and then one order a line on standard input, tells on standard
output what came of it, and ends when its input closes. One that has been used is kept for the next run.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from webapp.lib import clock
from webapp.tasks.outcomes import Outcome
from webapp.tasks.rules import RunState

GRACE_SECONDS: Final = 5.0  # between being asked to end and being ended
RUNS_EACH: Final = 200  # then a fresh process takes its place
POLL_SECONDS: Final = 0.1


class Runner:
    """One process."""

    def __init__(self, command: Sequence[str], folder: Path, settings: dict[str, Any]) -> None:
        self.runs = 0
        self._process = subprocess.Popen(  # noqa: S603
            list(command), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._send(settings)

    def execute(self, run_id: int, fence: int, timeout_seconds: float, cancelled: threading.Event) -> Outcome:
        """Execute a run; ends the process when the run takes too long or is cancelled."""
        self.runs += 1
        answer: list[bytes] = []
        try:
            self._send({"run": run_id, "fence": fence})
        except OSError:
            return Outcome(RunState.LOST, "Its process ended.")
        reader = threading.Thread(target=lambda: answer.append(self._read()), daemon=True)
        reader.start()
        deadline = clock.monotonic() + timeout_seconds
        while reader.is_alive():
            if cancelled.is_set():
                self.end(reader)
                return Outcome(RunState.CANCELLED)
            if clock.monotonic() > deadline:
                self.end(reader)
                return Outcome(RunState.TIMED_OUT, f"It took longer than {timeout_seconds:g} seconds.")
            reader.join(POLL_SECONDS)
        return _outcome(answer[0] if answer else b"", self._process)

    @property
    def usable(self) -> bool:
        """Whether it may take another run."""
        return self._process.poll() is None and self.runs < RUNS_EACH

    def end(self, reader: threading.Thread | None = None) -> None:
        """End the process: politely, then for certain."""
        with contextlib.suppress(OSError):
            self._process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if reader is not None:
            reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _send(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.write((json.dumps(order) + "\n").encode())

    def _read(self) -> bytes:
        assert self._process.stdout is not None  # noqa: S101
        line = bytearray()
        with contextlib.suppress(OSError, ValueError):
            while not line.endswith(b"\n") and (piece := self._process.stdout.read(65_536)):
                line += piece
        return bytes(line)


class Pool:
    """Runners that wait for work."""

    def __init__(self, command: Sequence[str], folder: Path, settings: dict[str, Any]) -> None:
        self._command, self._folder, self._settings = command, folder, settings
        self._idle: list[Runner] = []
        self._all: set[Runner] = set()
        self._lock = threading.Lock()
        self._closed = False

    def execute(self, run_id: int, fence: int, timeout_seconds: float, cancelled: threading.Event) -> Outcome:
        """Execute a run in a process that is idle, or in a new one."""
        runner = self._take()
        try:
            return runner.execute(run_id, fence, timeout_seconds, cancelled)
        finally:
            self._give_back(runner)

    def close(self) -> None:
        """End every process."""
        with self._lock:
            self._closed = True
            runners, self._all, self._idle = list(self._all), set(), []
        for runner in runners:
            runner.end()

    def _take(self) -> Runner:
        with self._lock:
            while self._idle:
                runner = self._idle.pop()
                if runner.usable:
                    return runner
                self._all.discard(runner)
        runner = Runner(self._command, self._folder, self._settings)
        with self._lock:
            self._all.add(runner)
        return runner

    def _give_back(self, runner: Runner) -> None:
        with self._lock:
            if runner.usable and not self._closed:
                self._idle.append(runner)
                return
            self._all.discard(runner)
        runner.end()


def _outcome(line: bytes, process: subprocess.Popen[bytes]) -> Outcome:
    try:
        told = json.loads(line)
        return Outcome(RunState(told["state"]), told["reason"], told["result"], told["trace"])
    except (ValueError, KeyError, TypeError):
        process.wait()
        return Outcome(RunState.LOST, f"Its process ended (code {process.returncode}).")
