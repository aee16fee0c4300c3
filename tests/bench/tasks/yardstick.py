"""Plain APScheduler does the same: `python -m tests.bench.tasks.yardstick KIND TASKS SECONDS URL`.

Its jobs are in the same kind of database (SQLAlchemyJobStore), and run in as many threads. It keeps no history.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
import threading
import time
from dataclasses import asdict
from typing import Any, cast

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from tests.bench.tasks.plan import EVERY_SECONDS, SLOTS, Kind, Result, quantiles

TRIED = 20  # jobs that are made to know how long making them takes


def nothing() -> None:
    """Do nothing."""


class Listener:
    """Notes how late each job ran, and what did not run well."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.bad = 0
        self._lock = threading.Lock()

    def hear(self, event: JobExecutionEvent) -> None:
        """Take note of a job that has ended."""
        now = time.time()
        with self._lock:
            if event.code == EVENT_JOB_EXECUTED:
                self.late.append(now - event.scheduled_run_time.timestamp())
            else:
                self.bad += 1


def measure(kind: Kind, count: int, seconds: float, url: str) -> Result:
    """Make the jobs, let them come due, and tell how it went."""
    scheduler, listener = _scheduler(url), Listener()
    scheduler.add_listener(listener.hear, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    scheduler.start(paused=True)
    first = _add_jobs(scheduler, kind, count)
    used = _cpu()
    scheduler.resume()
    time.sleep(max(0.0, first - time.time()))
    if kind == "steady":
        time.sleep(seconds)
    else:
        while len(listener.late) + listener.bad < count:
            time.sleep(0.05)
    elapsed, cpu, late = time.time() - first, _cpu() - used, list(listener.late)
    scheduler.shutdown()
    half, most = quantiles(late)
    faults = f"{listener.bad} jobs did not run" if listener.bad else ""
    expected = 0 if kind == "steady" else count
    return Result(kind, len(late), expected, elapsed, half, most, cpu, faults)


def _scheduler(url: str) -> BackgroundScheduler:
    return BackgroundScheduler(
        jobstores={"default": SQLAlchemyJobStore(url=url)},
        executors={"default": ThreadPoolExecutor(SLOTS)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        timezone="UTC",
    )


def _add_jobs(scheduler: BackgroundScheduler, kind: Kind, count: int) -> float:
    """Add the jobs, which takes a while, and return when the first one is due: soon after that."""
    apart = EVERY_SECONDS / count if kind == "steady" else 0.0
    job: dict[str, Any] = {"trigger": "interval", "seconds": EVERY_SECONDS if kind == "steady" else 86_400}
    began = time.time()
    for number in range(TRIED):
        scheduler.add_job(nothing, id=f"tried{number}", **job)
        scheduler.remove_job(f"tried{number}")
    first = time.time() + 3.0 + 2 * count * (time.time() - began) / TRIED
    for number in range(count):
        moment = dt.datetime.fromtimestamp(first + apart * number, dt.UTC)
        scheduler.add_job(nothing, next_run_time=moment, **job)
    assert time.time() < first, "the jobs took too long to be made"
    return first


def _cpu() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


if __name__ == "__main__":
    chosen = cast(Kind, sys.argv[1])
    print(json.dumps(asdict(measure(chosen, int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))))
