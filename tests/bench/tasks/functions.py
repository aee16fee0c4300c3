"""Functions that do nothing; runners import this module by TASK_MODULES."""

from __future__ import annotations

import time
from typing import Final

from webapp.tasks.context import RunContext
from webapp.tasks.registry import task_registry

BEGAN: Final[dict[int, float]] = {}  # when the function of a run was called, by run


@task_registry.register(name="bench_here", isolated=False)
def bench_here(run: RunContext) -> None:
    """Note the time, in the engine's own process."""
    BEGAN[run.id] = time.time()


@task_registry.register(name="bench_apart")
def bench_apart() -> None:
    """Do nothing, in a process of its own."""
