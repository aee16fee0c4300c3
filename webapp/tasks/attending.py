"""Attending to runs that one process has started: executing them, keeping their leases, ending them on demand.

The engine of a process does it for runs it has claimed, and a Celery worker for those sent to it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from webapp.database import write_transaction
from webapp.lib import clock, processes
from webapp.tasks import claims, execution, outcomes, rules
from webapp.tasks.claims import Claim, Which
from webapp.tasks.context import RunContext
from webapp.tasks.outcomes import Outcome
from webapp.tasks.registry import task_registry
from webapp.tasks.rules import RunState

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0
CONCLUDE_SECONDS: Final = 2.0  # what ended at the close of a process still gets so long to be written


class Executor(Protocol):
    """What executes isolated runs."""

    def execute(self, run_id: int, fence: int, timeout_seconds: float, cancelled: threading.Event) -> Outcome:
        """Execute a run and return what came of it."""

    def tidy(self) -> None:
        """Give back what has not been needed for long."""

    def close(self) -> None:
        """End what runs."""


@dataclass(slots=True, eq=False)
class _Attended:
    """A run this process looks after."""

    claim: Claim
    cancelled: threading.Event = field(default_factory=threading.Event)
    contexts: list[RunContext] = field(default_factory=list)

    def end(self) -> None:
        """Make the run end."""
        self.cancelled.set()
        for context in self.contexts:
            context.cancel()


class Attendant:
    """Looks after the runs of one process, at most so many at a time."""

    def __init__(
        self,
        app: Flask,
        make_executor: Callable[[], Executor],
        *,
        slots: int,
        lease_seconds: float = rules.LEASE_SECONDS,
    ) -> None:
        self.app = app
        self.worker = processes.new_name()
        self.slots, self.lease_seconds = slots, lease_seconds
        self._make_executor = make_executor
        self._executor: Executor | None = None
        self._attended: dict[tuple[int, int], _Attended] = {}
        self._places = 0
        self._closing = False
        self._lock = threading.Lock()

    @property
    def busy(self) -> int:
        """How many runs are under way."""
        return len(self._attended)

    @property
    def free(self) -> int:
        """How many more runs may be started."""
        return 0 if self._closing else self.slots - self._places

    @property
    def attended(self) -> set[tuple[int, int]]:
        """Run and fence of what is under way."""
        with self._lock:
            return set(self._attended)

    def start(self, claim: Claim, which: Which) -> None:
        """Attend to a run in a thread of its own, which then goes on with the next one of these that there is."""
        with self._lock:
            self._places += 1
        attended = self._begin(claim)
        thread = threading.Thread(
            target=self._work, args=(attended, which), name=f"task-{claim.func_name}", daemon=True
        )
        try:
            thread.start()
        except BaseException:  # no more threads: the lease runs out, and the run is found to be lost
            self._end(attended)
            with self._lock:
                self._places -= 1
            raise

    def attend(self, claim: Claim) -> None:
        """Attend to a run in this thread until its outcome is written."""
        self._attend(self._begin(claim))

    def look_after(self) -> None:
        """Renew the leases; needs an application context."""
        held = self.attended
        if held:
            outcomes.renew(self.worker, [run_id for run_id, _fence in held], self.lease_seconds)
        if self._executor is not None:
            self._executor.tidy()

    def end_withdrawn(self) -> None:
        """End the runs that somebody cancelled, or that were taken from this process while it slept."""
        held = self.attended
        if not held:
            return
        for key in held - outcomes.to_be_continued(self.worker):
            attended = self._attended.get(key)
            if attended is not None:
                attended.end()

    def close(self, seconds: float = 0.0) -> None:
        """Start nothing more, give what runs so long to end, then end it; what is lost is found by others."""
        self._closing = True
        deadline = clock.monotonic() + seconds
        while self._attended and clock.monotonic() < deadline:
            time.sleep(0.05)
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is None:
            return
        executor.close()
        deadline = clock.monotonic() + CONCLUDE_SECONDS
        while self._attended and clock.monotonic() < deadline:
            time.sleep(0.05)

    def _begin(self, claim: Claim) -> _Attended:
        attended = _Attended(claim)
        with self._lock:
            self._attended[claim.run_id, claim.fence] = attended
        return attended

    def _end(self, attended: _Attended) -> None:
        with self._lock:
            self._attended.pop((attended.claim.run_id, attended.claim.fence), None)

    def _work(self, attended: _Attended | None, which: Which) -> None:
        try:
            while attended is not None:
                following = self._attend(attended, which)
                attended = None if following is None else self._begin(following)
        except Exception:
            log.exception("no further run is started")
        finally:
            with self._lock:
                self._places -= 1

    def _attend(self, attended: _Attended, which: Which | None = None) -> Claim | None:
        """Execute a run and write what came of it; return the run to go on with, which is started by then."""
        claim = attended.claim
        try:
            written, following = self._conclude(claim, self._execute(attended), which)
            if not written:
                log.warning("run was taken over", extra={"run": claim.run_id, "task": claim.func_name})
        except Exception:
            log.exception("run not concluded", extra={"run": claim.run_id})
            return None
        else:
            return following
        finally:
            self._end(attended)

    def _execute(self, attended: _Attended) -> Outcome:
        claim = attended.claim
        try:
            found = task_registry.find(claim.func_name)
            if found is not None and not found.options.isolated:
                return execution.execute(self.app, claim.run_id, claim.fence, started=attended.contexts)
            executor = self._current_executor()
            return executor.execute(claim.run_id, claim.fence, claim.timeout_seconds, attended.cancelled)
        except Exception as error:  # it could not begin: no process, no thread, no memory
            log.exception("run not executed", extra={"run": claim.run_id})
            return Outcome(RunState.FAILED, f"It could not be started: {type(error).__name__}: {error}")

    def _current_executor(self) -> Executor:
        with self._lock:
            if self._executor is None:
                self._executor = self._make_executor()
            return self._executor

    def _conclude(self, claim: Claim, outcome: Outcome, which: Which | None) -> tuple[bool, Claim | None]:
        """Write what came of a run; a database that is away is waited for as long as this process lives."""
        while True:
            with self.app.app_context():
                try:
                    return _finish_and_take(
                        claim, outcome, self.worker, self.lease_seconds, None if self._closing else which
                    )
                except SQLAlchemyError as error:
                    if self._closing:
                        raise
                    log.warning("outcome waits for the database", extra={"error": type(error).__name__})
            time.sleep(RETRY_SECONDS)


@write_transaction
def _finish_and_take(
    claim: Claim, outcome: Outcome, worker: str, lease_seconds: float, which: Which | None
) -> tuple[bool, Claim | None]:
    """End a run and start the next one of these with the same commit; tell whether the end was written."""
    written = outcomes.finish(claim.run_id, claim.fence, outcome)
    if which is None:
        return written, None
    return written, next(iter(claims.take_ready(worker, 1, lease_seconds, which=which)), None)
