"""The engine of one process: at each tick it takes what is due, starts what is ready, and looks after its runs.

With a sender it starts only what runs in its own process, and sends the rest to workers elsewhere.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Final, cast

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from webapp.database import db
from webapp.lib import clock, processes
from webapp.tasks import claims, outcomes, rules
from webapp.tasks.attending import Attendant, Executor
from webapp.tasks.broker import Sender
from webapp.tasks.claims import Which
from webapp.tasks.models import TaskRun
from webapp.tasks.registry import task_registry
from webapp.tasks.rules import RunState

SLOTS: Final = 4  # runs of one process at a time
EXTENSION: Final = "tasks"


class Engine:
    """Scheduling and running in one process; any number of processes may do it at once."""

    def __init__(
        self,
        app: Flask,
        make_executor: Callable[[], Executor],
        *,
        slots: int = SLOTS,
        lease_seconds: float = rules.LEASE_SECONDS,
        sender: Sender | None = None,
    ) -> None:
        self.app = app
        self._sender = sender
        self.attendant = Attendant(app, make_executor, slots=slots, lease_seconds=lease_seconds)
        self.waiting = Attendant(app, make_executor, slots=rules.WAITING_AT_ONCE, lease_seconds=lease_seconds)
        self.last_tick: float | None = None
        self._heartbeat_seconds = lease_seconds / 6
        self._suspects: dict[int, float] = {}
        self._next_heartbeat = 0.0
        self._closing = False
        self._ticking, self._looking = threading.Lock(), threading.Lock()
        self._clock = clock.StepWatch()

    @property
    def worker(self) -> str:
        """The name of this process as a worker."""
        return self.attendant.worker

    @property
    def slots(self) -> int:
        """How many runs this process may have under way."""
        return self.attendant.slots

    @property
    def busy(self) -> int:
        """How many runs this process has under way."""
        return self.attendant.busy + self.waiting.busy

    def tick(self) -> None:
        """Take what is due and start what is ready; needs an application context."""
        if self._closing or not self._ticking.acquire(blocking=False):
            return
        try:
            self._keep_what_runs()  # first: what follows takes long when very much is due
            if (step := self._clock.step()) < 0:
                claims.follow_clock_back(-step)
            if claims.is_due():
                while claims.take_due() == rules.CLAIM_AT_ONCE:
                    self._start_what_is_ready()
                    self._keep_what_runs()
            self._start_what_is_ready()
            self.last_tick = clock.monotonic()
        finally:
            self._ticking.release()

    def wake(self) -> None:
        """Tick now instead of within a second; does nothing in a process that does no scheduled work."""
        if self.last_tick is not None and not self._closing:
            threading.Thread(target=self._tick_once, name="task-wake", daemon=True).start()

    def _tick_once(self) -> None:
        with self.app.app_context(), contextlib.suppress(SQLAlchemyError):  # the next tick comes anyway
            self.tick()

    def close(self, seconds: float = 0.0) -> None:
        """Start nothing more, give what runs so long to end, then end it; what is lost is found by others."""
        self._closing = True
        deadline = clock.monotonic() + seconds
        self.attendant.close(seconds)
        self.waiting.close(max(0.0, deadline - clock.monotonic()))
        if self._sender is not None:
            self._sender.close()

    def _start_what_is_ready(self) -> None:
        waiting = task_registry.waiting()
        here = Which(other_than=waiting)
        if self._sender is not None:
            own = task_registry.in_process()
            here = Which(functions=own - waiting)
            self._sender.send_ready(Which(other_than=own))
        self._start(self.attendant, here)
        self._start(self.waiting, Which(functions=waiting))

    @staticmethod
    def _start(attendant: Attendant, which: Which) -> None:
        if attendant.free > 0 and claims.is_ready(which):
            free, lease = attendant.free, attendant.lease_seconds
            for claim in claims.take_ready(attendant.worker, free, lease, which=which):
                attendant.start(claim, which)

    def _keep_what_runs(self) -> None:
        if clock.monotonic() >= self._next_heartbeat:
            self._next_heartbeat = clock.monotonic() + self._heartbeat_seconds
            self.attendant.look_after()
            self.waiting.look_after()
            self.find_the_lost()
            claims.give_up_waiting()
        self.attendant.end_withdrawn()
        self.waiting.end_withdrawn()

    def find_the_lost(self) -> int:
        """Take over from processes that are gone, and what this one has lost track of; return how many runs were lost."""
        with self._looking:
            return self._find_the_lost()

    def _find_the_lost(self) -> int:
        now, moment, own = clock.utc_now(), clock.monotonic(), self.attendant.attended | self.waiting.attended
        with db.engine.connect() as connection:
            running = connection.execute(
                select(TaskRun.id, TaskRun.fence, TaskRun.worker, TaskRun.lease_until).where(
                    TaskRun.state == RunState.RUNNING.value
                )
            ).all()
        others = [row for row in running if (row.id, row.fence) not in own]
        dead = {name for name in {row.worker for row in others} if processes.is_surely_dead(name)}
        expired = {row.id for row in others if row.lease_until is not None and row.lease_until < now}
        found = 0
        for row in others:
            # Seen twice, or else an outage of the database would make every run look lost.
            waited = moment - self._suspects.get(row.id, moment) >= self._heartbeat_seconds
            if row.worker in dead or (row.id in expired and waited):
                reason = "Its process ended or did not answer in time."
                found += outcomes.take_from_the_lost(row.id, row.fence, reason)
        self._suspects = {run_id: self._suspects.get(run_id, moment) for run_id in expired}
        return found


def engine() -> Engine:
    """Return the engine of the application at hand."""
    return cast(Engine, current_app.extensions[EXTENSION])
