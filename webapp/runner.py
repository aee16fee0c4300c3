"""A process that executes runs of tasks: `python -m webapp.runner`, started and fed by the engine of tasks.

The first line on standard input holds the settings, each further one names a run; one line on standard output tells
what came of it. The process ends when its input closes, so that it cannot outlive the engine.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from dataclasses import asdict
from types import FrameType

from webapp.app import create_app
from webapp.config import Settings
from webapp.tasks.context import Cancelled
from webapp.tasks.execution import execute


def main() -> None:
    """Serve one run after the other until standard input closes."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the engine ends us, in order
    signal.signal(signal.SIGTERM, _cancel)
    report_to = os.dup(1)
    os.dup2(2, 1)  # what functions print is not for our one line
    app = create_app(Settings(**json.loads(sys.stdin.readline())))
    for line in sys.stdin:
        order = json.loads(line)
        outcome = execute(app, order["run"], order["fence"])
        report = json.dumps(asdict(outcome), default=str, ensure_ascii=False)
        os.write(report_to, report.encode() + b"\n")


def _cancel(_signal: int, _frame: FrameType | None) -> None:
    raise Cancelled


if __name__ == "__main__":
    with contextlib.suppress(Cancelled, BrokenPipeError):
        main()
