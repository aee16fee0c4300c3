"""The engine of one process: at each tick it takes what is due, starts what is ready, and looks after its runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from webapp.database import db
from webapp.lib import clock, processes
from webapp.tasks import claims, execution, outcomes, rules
from webapp.tasks.claims import Claim
from webapp.tasks.context import RunContext
from webapp.tasks.models import TaskRun
from webapp.tasks.outcomes import Outcome
from webapp.tasks.registry import task_registry
from webapp.tasks.rules import RunState

log = logging.getLogger(__name__)

SLOTS: Final = 4  # runs of one process at a time
FINISH_TRIES_SECONDS: Final = 600
EXTENSION: Final = "tasks"


class Executor(Protocol):
    """What executes isolated runs: the pool of processes here, or workers elsewhere."""

    def execute(self, run_id: int, fence: int, timeout_seconds: float, cancelled: threading.Event) -> Outcome:
        """Execute a run and return what came of it."""

    def close(self) -> None:
        """End what runs."""


@dataclass(slots=True)
class _Attended:
    """A run this process looks after."""

    claim: Claim
    cancelled: threading.Event = field(default_factory=threading.Event)
    contexts: list[RunContext] = field(default_factory=list)


class Engine:
    """Scheduling and running in one process; any number of processes may do it at once."""

    def __init__(self, app: Flask, make_executor: Callable[[], Executor], *, slots: int = SLOTS) -> None:
        self.app = app
        self.worker = processes.new_name()
        self.slots = slots
        self.last_tick: float | None = None
        self._make_executor = make_executor
        self._executor: Executor | None = None
        self._attended: dict[int, _Attended] = {}
        self._suspects: dict[int, float] = {}
        self._next_heartbeat = 0.0
        self._closing = False
        self._ticking = threading.Lock()
        self._executor_lock = threading.Lock()

    def tick(self) -> None:
        """Take what is due and start what is ready; needs an application context."""
        if self._closing or not self._ticking.acquire(blocking=False):
            return
        try:
            while claims.take_due() == rules.CLAIM_AT_ONCE:
                pass
            for claim in claims.take_ready(self.worker, self.slots - len(self._attended)):
                self._attend(claim)
            if clock.monotonic() >= self._next_heartbeat:
                self._next_heartbeat = clock.monotonic() + rules.HEARTBEAT_SECONDS
                self._look_after()
            self._pass_on_cancellations()
            self.last_tick = clock.monotonic()
        finally:
            self._ticking.release()

    def close(self, seconds: float = 0.0) -> None:
        """Start nothing more, give what runs so long to end, then end it; what is lost is found by others."""
        self._closing = True
        deadline = clock.monotonic() + seconds
        while self._attended and clock.monotonic() < deadline:
            time.sleep(0.05)
        with self._executor_lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.close()

    @property
    def busy(self) -> int:
        """How many runs this process has under way."""
        return len(self._attended)

    def _attend(self, claim: Claim) -> None:
        attended = self._attended[claim.run_id] = _Attended(claim)
        threading.Thread(
            target=self._run, args=(attended,), name=f"task-{claim.func_name}", daemon=True
        ).start()

    def _run(self, attended: _Attended) -> None:
        claim = attended.claim
        try:
            outcome = self._execute(attended)
            if not self._finish(claim, outcome):
                log.warning("run was taken over", extra={"run": claim.run_id, "task": claim.func_name})
        except Exception:
            log.exception("run not concluded", extra={"run": claim.run_id})
        finally:
            self._attended.pop(claim.run_id, None)

    def _execute(self, attended: _Attended) -> Outcome:
        claim = attended.claim
        found = task_registry.find(claim.func_name)
        if found is not None and not found.options.isolated:
            return execution.execute(self.app, claim.run_id, claim.fence, started=attended.contexts)
        try:
            executor = self._current_executor()
            return executor.execute(claim.run_id, claim.fence, claim.timeout_seconds, attended.cancelled)
        except OSError as error:
            return Outcome(RunState.FAILED, f"Its process could not be started: {error}")

    def _current_executor(self) -> Executor:
        with self._executor_lock:
            if self._executor is None:
                self._executor = self._make_executor()
            return self._executor

    def _finish(self, claim: Claim, outcome: Outcome) -> bool:
        """Write what came of a run; a database that is away is waited for."""
        deadline = clock.monotonic() + FINISH_TRIES_SECONDS
        while True:
            with self.app.app_context():
                try:
                    return outcomes.finish(claim.run_id, claim.fence, outcome)
                except SQLAlchemyError:
                    if clock.monotonic() > deadline:
                        raise
            time.sleep(1)

    def _look_after(self) -> None:
        """Renew the leases of this process, and take over from processes that are gone."""
        if self._attended:
            outcomes.renew(self.worker)
        now, moment = clock.utc_now(), clock.monotonic()
        running = db.session.execute(
            select(TaskRun.id, TaskRun.fence, TaskRun.worker, TaskRun.lease_until).where(
                TaskRun.state == RunState.RUNNING.value, TaskRun.worker != self.worker
            )
        ).all()
        db.session.rollback()
        dead = {name for name in {row.worker for row in running} if processes.is_surely_dead(name)}
        expired = {row.id for row in running if row.lease_until is not None and row.lease_until < now}
        for row in running:
            # Seen twice, or else an outage of the database would make every run look lost.
            waited = moment - self._suspects.get(row.id, moment) >= rules.HEARTBEAT_SECONDS
            if row.worker in dead or (row.id in expired and waited):
                outcomes.take_from_the_lost(row.id, row.fence, "Its process ended or did not answer in time.")
        self._suspects = {run_id: self._suspects.get(run_id, moment) for run_id in expired}

    def _pass_on_cancellations(self) -> None:
        if not self._attended:
            return
        for run_id in outcomes.cancelled_runs(self.worker):
            attended = self._attended.get(run_id)
            if attended is not None:
                attended.cancelled.set()
                for context in attended.contexts:
                    context.cancel()


def engine() -> Engine:
    """Return the engine of the application at hand."""
    return cast(Engine, current_app.extensions[EXTENSION])
