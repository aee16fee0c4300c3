"""How long an event loop stands still: a timer in the loop notes each time it was called late."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Final

PERIOD_SECONDS: Final = 0.005
NOTED_FROM_SECONDS: Final = 0.003
FILE_VARIABLE: Final = "BENCH_STALLS"


class Notes:
    """A file with a line for each time the loop was late: when, by how many seconds, and for how many the process ran."""

    def __init__(self) -> None:
        self._file = Path(os.environ[FILE_VARIABLE]).open("a", buffering=1)  # noqa: SIM115

    def take(self, before: float, ran_before: float) -> None:
        """Note how much longer than the period a sleep has taken, and the processor time it was used for."""
        now = time.monotonic()
        late = now - before - PERIOD_SECONDS
        if late > NOTED_FROM_SECONDS:
            self._file.write(f"{now:.4f} {late:.4f} {time.process_time() - ran_before:.4f}\n")


def start_in_gevent() -> None:
    """Watch the loop of a gevent worker; to be called in it."""

    def watch() -> None:
        notes = Notes()
        while True:
            before, ran = time.monotonic(), time.process_time()
            time.sleep(PERIOD_SECONDS)
            notes.take(before, ran)

    threading.Thread(target=watch, name="bench-probe", daemon=True).start()


async def watch_asyncio() -> None:
    """Watch the running asyncio loop."""
    notes = Notes()
    while True:
        before, ran = time.monotonic(), time.process_time()
        await asyncio.sleep(PERIOD_SECONDS)
        notes.take(before, ran)


def longest(path: Path, since: float, until: float) -> tuple[float, float]:
    """Return the longest time the loop stood still within a span, and the processor time in it, in seconds.

    Where the second is much less than the first, the machine had given the processor to somebody else.
    """
    lines = path.read_text().splitlines() if path.exists() else []
    noted = [tuple(float(part) for part in line.split()) for line in lines]
    inside = ((late, ran) for when, late, ran in noted if since <= when <= until)
    return max(inside, default=(0.0, 0.0))
