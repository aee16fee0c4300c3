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
    """A file with a line for each time the loop was late: when, and by how many seconds."""

    def __init__(self) -> None:
        self._file = Path(os.environ[FILE_VARIABLE]).open("a", buffering=1)  # noqa: SIM115

    def take(self, before: float) -> None:
        """Note how much longer than the period a sleep has taken."""
        now = time.monotonic()
        late = now - before - PERIOD_SECONDS
        if late > NOTED_FROM_SECONDS:
            self._file.write(f"{now:.4f} {late:.4f}\n")


def start_in_gevent() -> None:
    """Watch the loop of a gevent worker; to be called in it."""

    def watch() -> None:
        notes = Notes()
        while True:
            before = time.monotonic()
            time.sleep(PERIOD_SECONDS)
            notes.take(before)

    threading.Thread(target=watch, name="bench-probe", daemon=True).start()


async def watch_asyncio() -> None:
    """Watch the running asyncio loop."""
    notes = Notes()
    while True:
        before = time.monotonic()
        await asyncio.sleep(PERIOD_SECONDS)
        notes.take(before)


def longest(path: Path, since: float, until: float) -> float:
    """Return the longest time the loop stood still within a span, in seconds."""
    lines = path.read_text().splitlines() if path.exists() else []
    noted = [(float(when), float(late)) for when, late in (line.split() for line in lines)]
    return max((late for when, late in noted if since <= when <= until), default=0.0)
