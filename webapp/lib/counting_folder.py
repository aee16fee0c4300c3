"""The folder in which the processes of one machine count together, and what is removed from it.

Knows nothing of Prometheus, so that the server's first process can use it before anything is switched to its event
loop.
"""

from __future__ import annotations

import os
from pathlib import Path

from webapp.lib import processes


def folder_of(instance: Path) -> Path:
    """Return the folder; each machine, container and boot has its own."""
    return instance / "run" / "metrics" / processes.machine_name()


def forget_gauges(folder: Path) -> None:
    """Remove the gauges of processes that are gone; their counters stay, so that no sum falls."""
    _forget(folder, "gauge_live*_*.db")


def forget_counts(instance: Path) -> None:
    """Remove all that processes that are gone have counted: at the start of a server, which begins at nothing."""
    _forget(folder_of(instance), "*_*.db")


def _forget(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        pid = path.stem.rpartition("_")[2]
        if pid.isdigit() and int(pid) != os.getpid() and not processes.is_running(int(pid)):
            path.unlink(missing_ok=True)
