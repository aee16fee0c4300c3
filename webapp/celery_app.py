"""The Celery application for workers of runs: `celery -A webapp.celery_app worker`.

A worker executes each run in a child process of its own, as the engine does, so its pool is one of threads. TERM takes
on nothing new and gives what runs ten seconds.
"""

from __future__ import annotations

import threading
from typing import Any, Final

from celery import signals

from webapp.app import create_app
from webapp.background import RUNNER, STOP_SECONDS
from webapp.config import ROOT, load_settings
from webapp.tasks.broker import RUN_TASK, make_celery
from webapp.tasks.pool import Pool
from webapp.tasks.remote import RemoteWorker

settings = load_settings()
celery: Final = make_celery(settings)


class _Worker:
    """The worker of this process, made with the first run it is sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: RemoteWorker | None = None

    def get(self) -> RemoteWorker:
        """Return the worker."""
        with self._lock:
            if self._made is None:
                command, orders = RUNNER, settings.for_another_process()
                self._made = RemoteWorker(
                    create_app(settings), lambda: Pool(command, ROOT, orders), slots=settings.task_slots
                )
            return self._made

    def close(self) -> None:
        """End what runs, in order."""
        with self._lock:
            made = self._made
        if made is not None:
            made.close(STOP_SECONDS)


_worker: Final = _Worker()


@celery.task(name=RUN_TASK)  # type: ignore[untyped-decorator]
def run(run_id: int) -> bool:
    """Execute a run; tell whether it was still to be done."""
    return _worker.get().run(run_id)


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _close(**_about: Any) -> None:
    """Let the end of a run that would take hours not hold up the end of its worker."""
    threading.Thread(target=_worker.close, name="task-close", daemon=True).start()
