"""Processes that execute runs, so that a run that hangs or eats memory can be ended.

Each is `python -m webapp.runner`: it takes the settings and then one order a line on standard input, tells on standard
output that it is ready and what came of each run, and ends when its input closes. One that has been used is kept for
the next run, for a while.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from webapp.lib import clock
from webapp.tasks.outcomes import Outcome
from webapp.tasks.rules import RunState

START_SECONDS: Final = 120.0  # for a process to load the program; the time-out of a run begins after that
GRACE_SECONDS: Final = 5.0  # between being asked to end and being ended
RUNS_EACH: Final = 200  # then a fresh process takes its place
IDLE_SECONDS: Final = 120.0  # then a process without work gives its memory back
POLL_SECONDS: Final = 0.1
TOLD_TO_END: Final = "Its process was told to end."
ENDED_BY_TERM: Final = {128 + signal.SIGTERM, -signal.SIGTERM}  # as the runner says it, and without its say


class NotStarted(Exception):
    """The process ended before the run was handed to it: another one may have it."""


class Runner:
    """One process."""

    def __init__(self, command: Sequence[str], folder: Path, settings: dict[str, Any]) -> None:
        self.runs = 0
        self.idle_since = clock.monotonic()
        self._ready = False
        self._told_to_end = False
        self._process = subprocess.Popen(  # noqa: S603
            list(command), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        with contextlib.suppress(OSError):  # one that ended already is found by its silence
            self._send(settings)

    def execute(self, run_id: int, fence: int, timeout_seconds: float, cancelled: threading.Event) -> Outcome:
        """Execute a run; ends the process when the run takes too long or is cancelled. May raise NotStarted."""
        self.runs += 1
        if not self._ready:
            hello = self._await_line(START_SECONDS, cancelled)
            if isinstance(hello, Outcome):
                return hello if hello.state is RunState.CANCELLED else _not_in_time()
            if not hello:
                raise NotStarted
            self._ready = True
        try:
            self._send({"run": run_id, "fence": fence})
        except OSError:
            raise NotStarted from None
        line = self._await_line(timeout_seconds, cancelled)
        if isinstance(line, Outcome):
            return line
        return self._outcome(line, cancelled)

    @property
    def usable(self) -> bool:
        """Whether it may take another run."""
        return self._process.poll() is None and self.runs < RUNS_EACH

    def terminate(self) -> None:
        """Ask the process to end."""
        self._told_to_end = True
        with contextlib.suppress(OSError):
            self._process.terminate()

    def end(self, reader: threading.Thread | None = None) -> None:
        """End the process: politely, then for certain."""
        self.terminate()
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

    def _await_line(self, seconds: float, cancelled: threading.Event) -> bytes | Outcome:
        """Return the next line the process says, nothing when it ended; or what ended it."""
        answer: list[bytes] = []
        reader = threading.Thread(target=lambda: answer.append(self._read()), daemon=True)
        reader.start()
        deadline = clock.monotonic() + seconds
        while reader.is_alive():
            if cancelled.is_set():
                self.end(reader)
                return Outcome(RunState.CANCELLED)
            if clock.monotonic() > deadline:
                self.end(reader)
                return Outcome(RunState.TIMED_OUT, f"It took longer than {seconds:g} seconds.")
            reader.join(POLL_SECONDS)
        return answer[0] if answer else b""

    def _outcome(self, line: bytes, cancelled: threading.Event) -> Outcome:
        try:
            told = json.loads(line)
            outcome = Outcome(RunState(told["state"]), told["reason"], told["result"], told["trace"])
        except (ValueError, KeyError, TypeError):
            code = self._process.wait()
            if self._told_to_end or code in ENDED_BY_TERM:
                return Outcome(RunState.LOST, TOLD_TO_END)
            return Outcome(RunState.LOST, f"Its process ended (code {code}).")
        if told.get("last"):
            self.runs = RUNS_EACH
        told_to_end = self._told_to_end or told.get("told_to_end") or outcome.state is RunState.CANCELLED
        if told_to_end and not cancelled.is_set() and outcome.state in {RunState.CANCELLED, RunState.FAILED}:
            # Nobody cancelled the run: its process was told to end, with the program or from outside. What
            # the function made of that, another error for instance, is no failure of its own.
            return Outcome(RunState.LOST, TOLD_TO_END)
        return outcome

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
        while True:
            runner, is_new = self._take()
            try:
                return runner.execute(run_id, fence, timeout_seconds, cancelled)
            except NotStarted:
                if is_new or self._closed:
                    return Outcome(RunState.LOST, "Its process ended before it began.")
            finally:
                self._give_back(runner)

    def tidy(self) -> None:
        """End the processes that had nothing to do for long."""
        now = clock.monotonic()
        with self._lock:
            old = [runner for runner in self._idle if now - runner.idle_since > IDLE_SECONDS]
            self._idle = [runner for runner in self._idle if runner not in old]
            self._all.difference_update(old)
        for runner in old:
            runner.end()

    def close(self) -> None:
        """End every process."""
        with self._lock:
            self._closed = True
            runners, self._all, self._idle = list(self._all), set(), []
        for runner in runners:
            runner.terminate()  # all of them first: each may take its time
        for runner in runners:
            runner.end()

    def _take(self) -> tuple[Runner, bool]:
        with self._lock:
            while self._idle:
                runner = self._idle.pop()
                if runner.usable:
                    return runner, False
                self._all.discard(runner)
        runner = Runner(self._command, self._folder, self._settings)
        with self._lock:
            self._all.add(runner)
        return runner, True

    def _give_back(self, runner: Runner) -> None:
        with self._lock:
            if runner.usable and not self._closed:
                runner.idle_since = clock.monotonic()
                self._idle.append(runner)
                return
            self._all.discard(runner)
        runner.end()


def _not_in_time() -> Outcome:
    return Outcome(RunState.LOST, f"Its process was not ready within {START_SECONDS:g} seconds.")
