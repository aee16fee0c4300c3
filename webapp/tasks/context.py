"""What a function can say while it runs: progress and log lines, which belong to its run.

Both are kept and written by a thread of their own, on a connection of its own: a function may be in the middle of
a transaction when it says something.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Self

from flask import Flask
from sqlalchemy import exists, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from webapp.database import db, process_lock
from webapp.database.engine import WRITES
from webapp.lib import clock, redaction
from webapp.lib.text import without_lone_surrogates
from webapp.tasks import rules
from webapp.tasks.models import TaskLogLine, TaskRun
from webapp.tasks.rules import RunState

FLUSH_SECONDS: Final = 0.5
LAST_FLUSH_SECONDS: Final = 60  # what was said last waits so long for a database that is away
LINES_KEPT: Final = 5_000  # of one run; what it says beyond is dropped, and that is said
_current: ContextVar[RunContext | None] = ContextVar("task_run", default=None)


class Cancelled(BaseException):
    """Somebody cancelled the run; not an Exception, so that `except Exception` does not swallow it."""


@dataclass(frozen=True, slots=True)
class _Progress:
    done: int | None
    total: int | None
    text: str


class RunContext:
    """The run at hand, as its function sees it."""

    def __init__(self, app: Flask, run_id: int, fence: int, attempt: int) -> None:
        self.id, self.fence, self.attempt = run_id, fence, attempt
        self._app = app
        self._lines: list[dict[str, Any]] = []
        self._count = 0
        self._progress: _Progress | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._cancelled = threading.Event()
        self._writer = threading.Thread(target=self._write_until_ended, name=f"run-{run_id}", daemon=True)

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        """Say how far the work is; raises Cancelled when somebody wants it to end."""
        with self._lock:
            self._progress = _Progress(done, total, without_lone_surrogates(text)[: rules.PROGRESS_LENGTH])
        self.check()

    def log(self, text: str, level: str = "info") -> None:
        """Add a line to the log of the run."""
        with self._lock:
            self._count += 1
            if self._count > LINES_KEPT:
                return
            if self._count == LINES_KEPT:
                text, level = "More lines than are kept; the rest is dropped.", "warning"
            line = redaction.redact(without_lone_surrogates(text))[: rules.LINE_LENGTH]
            self._lines.append(
                {"run_id": self.id, "logged_at": clock.utc_now(), "level": level, "text": line}
            )

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants the run to end."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Ask the function to end."""
        self._cancelled.set()

    def check(self) -> None:
        """Raise Cancelled when somebody wants the run to end."""
        if self.cancelled:
            raise Cancelled

    def __enter__(self) -> Self:
        """Begin: log records of this context are lines of the run from now on."""
        self._token = _current.set(self)
        self._writer.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        """End, with everything written."""
        _current.reset(self._token)
        self._ended.set()
        self._writer.join()

    def _write_until_ended(self) -> None:
        with self._app.app_context():
            while not self._ended.wait(FLUSH_SECONDS):
                self._flush()
            deadline = clock.monotonic() + LAST_FLUSH_SECONDS
            while not self._flush() and clock.monotonic() < deadline:
                time.sleep(FLUSH_SECONDS)

    def _flush(self) -> bool:
        """Store what was said; what cannot be stored yet is kept."""
        with self._lock:
            lines, self._lines = self._lines, []
            progress, self._progress = self._progress, None
        if not lines and progress is None:
            return True
        try:
            self._store(lines, progress)
        except SQLAlchemyError:
            with self._lock:  # once the database is back
                self._lines[:0] = lines
                self._progress = self._progress or progress
            return False
        return True

    def _store(self, lines: list[dict[str, Any]], progress: _Progress | None) -> None:
        mine = (TaskRun.id == self.id) & (TaskRun.fence == self.fence)
        with process_lock(), db.engine.connect() as plain:
            connection = plain.execution_options(**{WRITES: True})
            with connection.begin():
                held = mine & (TaskRun.state == RunState.RUNNING.value)
                if not connection.scalar(select(exists().where(held))):
                    return  # the run was taken over: its log belongs to the next attempt
                if lines:
                    connection.execute(insert(TaskLogLine), lines)
                if progress is not None:
                    connection.execute(
                        update(TaskRun)
                        .where(mine)
                        .values(
                            progress_done=progress.done,
                            progress_total=progress.total,
                            progress_text=progress.text,
                        )
                    )


class RunLogHandler(logging.Handler):
    """Turns log records made during a run into its lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Add the line."""
        run = _current.get()
        if run is not None:
            with contextlib.suppress(Exception):
                run.log(record.getMessage(), record.levelname.lower())


def install_log_handler() -> None:
    """Send log records to the runs they belong to; harmless when repeated."""
    root = logging.getLogger()
    if not any(isinstance(each, RunLogHandler) for each in root.handlers):
        root.addHandler(RunLogHandler(logging.INFO))
