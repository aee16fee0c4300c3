"""What is measured, as one process tells another one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["claims", "burst", "steady", "apart"]
EVERY_SECONDS = 60  # in the steady load each task comes due so often, and they take turns
SLOTS = 4  # runs at a time


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one measurement."""

    kind: str
    runs: int  # that were executed, or slots that were claimed
    expected: int  # exactly so many should have been; 0 where that depends on when it was stopped
    seconds: float
    late_p50: float = 0.0
    late_p99: float = 0.0
    cpu_seconds: float = 0.0
    faults: str = ""
    memory_bytes: int = 0  # of a process that executes runs

    @property
    def a_second(self) -> float:
        """Runs a second."""
        return self.runs / self.seconds if self.seconds else 0.0

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of processor time a run."""
        return 1000 * self.cpu_seconds / self.runs if self.runs else 0.0


def quantiles(late: Sequence[float]) -> tuple[float, float]:
    """Return median and 99th percentile."""
    if len(late) < 2:
        return (late[0], late[0]) if late else (0.0, 0.0)
    cuts = statistics.quantiles(late, n=100, method="inclusive")
    return cuts[49], cuts[98]
