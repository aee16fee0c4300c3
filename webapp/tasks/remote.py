"""A process that executes runs which others send to it: what a Celery worker is made of.

Truth stays in the database: a message only names a run, which is then claimed like any other one. A message that comes
twice, or late, finds nothing to claim.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from webapp.database import db
from webapp.lib import clock
from webapp.tasks import claims, rules
from webapp.tasks.attending import Attendant, Executor
from webapp.tasks.claims import Which

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0  # a run that was cancelled or taken away is ended within that


class RemoteWorker:
    """Runs what it is sent, keeps the leases, and ends what was cancelled."""

    def __init__(
        self,
        app: Flask,
        make_executor: Callable[[], Executor],
        *,
        slots: int,
        lease_seconds: float = rules.LEASE_SECONDS,
    ) -> None:
        self.app = app
        self.attendant = Attendant(app, make_executor, slots=slots, lease_seconds=lease_seconds)
        self._heartbeat_seconds = lease_seconds / 6
        self._closed = threading.Event()
        threading.Thread(target=self._look_after, name="task-leases", daemon=True).start()

    def run(self, run_id: int) -> bool:
        """Execute a run until its outcome is written; tell whether there was something to do."""
        if self._closed.is_set():
            return False  # it is queued still, and will be sent again
        with self.app.app_context():
            taken = claims.take_ready(
                self.attendant.worker, 1, self.attendant.lease_seconds, which=Which(run_id=run_id)
            )
            if not taken:
                claims.mark_unsent(
                    [run_id]
                )  # one that has to wait for another run is sent when that has ended
            db.session.remove()
        for claim in taken:
            self.attendant.attend(claim)
        return bool(taken)

    def close(self, seconds: float) -> None:
        """Take nothing more, give what runs so long to end, then end it; what is lost is found by others."""
        self._closed.set()
        self.attendant.close(seconds)

    def _look_after(self) -> None:
        next_heartbeat = 0.0
        while not (self._closed.wait(LOOK_SECONDS) and not self.attendant.busy):
            try:
                with self.app.app_context():
                    if clock.monotonic() >= next_heartbeat:
                        next_heartbeat = clock.monotonic() + self._heartbeat_seconds
                        self.attendant.look_after()
                    self.attendant.end_withdrawn()
            except SQLAlchemyError as error:
                log.warning("leases wait for the database", extra={"error": type(error).__name__})
            except Exception:  # a worker without this would lose every run it has
                log.exception("leases not renewed")
