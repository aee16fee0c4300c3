"""A process that executes runs of tasks: `python -m webapp.runner`, started and fed by the engine of tasks.

The first line on standard input holds the settings, each further one names a run. On standard output one line says
that it is ready, and one for each run what came of it. The process ends at once when its input closes, in the middle
of a run as well: the engine is gone then, and whatever follows of the run is no longer ours to do.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
from dataclasses import asdict
from types import FrameType
from typing import Any, Final

from webapp.app import create_app
from webapp.config import Settings
from webapp.tasks.context import Cancelled
from webapp.tasks.execution import execute

MOST_KILOBYTES: Final = 512 * 1024
TOLD_TO_END: Final = 143  # as a shell tells of TERM
_told_to_end = threading.Event()


def main() -> None:
    """Serve one run after the other until standard input closes."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the engine ends us, in order
    signal.signal(signal.SIGTERM, _cancel)
    report_to = os.dup(1)
    os.dup2(2, 1)  # what functions print is not for our one line
    # It starts nothing by itself, so it needs no way to Celery's workers, which takes a while to import.
    settings = Settings(**json.loads(sys.stdin.readline()) | {"task_engine": "embedded"})
    _limit_memory(settings.task_memory_mb)
    app = create_app(settings)
    orders = queue.SimpleQueue[dict[str, int]]()
    threading.Thread(target=_read, args=(orders,), daemon=True).start()
    _tell(report_to, {"ready": True})
    while True:
        order = orders.get()
        outcome = execute(app, order["run"], order["fence"])
        told = _told_to_end.is_set()
        _tell(report_to, {**asdict(outcome), "last": told or _has_grown(), "told_to_end": told})


def _read(orders: queue.SimpleQueue[dict[str, int]]) -> None:
    for line in sys.stdin:
        orders.put(json.loads(line))
    os._exit(1)


def _tell(report_to: int, report: dict[str, Any]) -> None:
    line = json.dumps(report, default=str, ensure_ascii=True).encode() + b"\n"
    while line:
        line = line[os.write(report_to, line) :]


def _limit_memory(megabytes: int) -> None:
    """Let a run that wants more memory than that fail, instead of the machine."""
    if megabytes and sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 1024 * 1024, megabytes * 1024 * 1024))


def _has_grown() -> bool:
    """Tell whether a run left so much memory behind that another process shall take the next one."""
    if sys.platform == "win32":
        return False
    import resource

    return bool(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MOST_KILOBYTES)


def _cancel(_signal: int, _frame: FrameType | None) -> None:
    _told_to_end.set()
    raise Cancelled


if __name__ == "__main__":
    try:
        with contextlib.suppress(BrokenPipeError):
            main()
    except Cancelled:
        sys.exit(TOLD_TO_END)
