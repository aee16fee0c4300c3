"""Turns of a loop that reads what may come faster than it is ever waited for, and would then hold up all others."""

from __future__ import annotations

import time
from typing import Final

from webapp.lib import clock

BURST_SECONDS: Final = 0.001  # between two reads, below which the second did not wait
READS_A_BURST: Final = 8


class Turns:
    """Gives up the event loop now and then while nothing has to be waited for."""

    def __init__(self) -> None:
        self._burst = 0
        self._last = clock.monotonic()

    def take(self) -> None:
        """Begin another turn; to be called after each read."""
        now = clock.monotonic()
        if now - self._last > BURST_SECONDS:
            self._burst = 0
        elif self._burst < READS_A_BURST:
            self._burst += 1
        else:
            time.sleep(0)
            self._burst, now = 0, clock.monotonic()
        self._last = now
