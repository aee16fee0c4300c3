"""What this process takes of the machine: Prometheus' own numbers do not exist for several processes."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Final

_STATM: Final = Path("/proc/self/statm")
_FILES: Final = Path("/proc/self/fd")


def cpu_seconds() -> float:
    """Return the processor time taken so far."""
    return time.process_time()


def memory_bytes() -> float:
    """Return the resident memory, 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return float(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0.0


def open_files() -> float:
    """Return the number of open files, 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        return float(sum(1 for _ in _FILES.iterdir()))
    return 0.0


def open_files_limit() -> float:
    """Return how many there may be, 0 where the system does not tell."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        return float(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    return 0.0
