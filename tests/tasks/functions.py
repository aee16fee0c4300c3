"""Functions for tests of tasks; runners import this module by TASK_MODULES."""

from __future__ import annotations

import datetime as dt
import logging
import os
import signal
import time
from pathlib import Path
from typing import Literal

from webapp.tasks.context import RunContext
from webapp.tasks.registry import Failed, Skip, task_registry

log = logging.getLogger(__name__)


@task_registry.register(name="note")
def note(path: str, text: str = "ran") -> int:
    """Append a line to a file."""
    with Path(path).open("a") as file:
        file.write(text + "\n")
    return os.getpid()


@task_registry.register(name="note_here", isolated=False)
def note_here(path: str) -> int:
    """Append a line to a file, in the engine's own process."""
    return note(path)


@task_registry.register(name="note_async")
async def note_async(path: str) -> str:
    """Append a line to a file, asynchronously."""
    note(path)
    return "done"


@task_registry.register(name="talk")
def talk(run: RunContext, count: int = 3) -> None:
    """Log lines and progress."""
    for number in range(count):
        log.info("line %s", number)
        run.progress(number + 1, count, f"step {number + 1}")


@task_registry.register(name="fail")
def fail(kind: str = "raise") -> None:
    """Fail in the way named."""
    if kind == "skip":
        raise Skip("nothing to do")
    if kind == "reason":
        raise Failed("the other side said no")
    if kind == "die":
        os._exit(7)
    raise RuntimeError("broken, with the key sk-abcdefghijklmnop")


@task_registry.register(name="hang")
def hang(seconds: float = 600) -> None:
    """Do nothing for long, deaf to everything but signals."""
    time.sleep(seconds)


@task_registry.register(name="fail_until")
def fail_until(path: str, times: int) -> int:
    """Fail so many times, then succeed."""
    note(path)
    tries = len(Path(path).read_text().splitlines())
    if tries <= times:
        raise Failed(f"try {tries}")
    return tries


@task_registry.register(name="hang_once")
def hang_once(path: str) -> str:
    """Hang the first time, whatever comes of it, and return at once the second time."""
    note(path, str(os.getpid()))
    if len(Path(path).read_text().splitlines()) == 1:
        time.sleep(600)
    return "second time"


@task_registry.register(name="note_run", isolated=False)
def note_run(run: RunContext, path: str) -> None:
    """Append the run's number to a file, in the engine's own process."""
    note(path, str(run.id))


@task_registry.register(name="hold")
def hold(path: str, go: str) -> str:
    """Say that it began, and return once there is a file."""
    note(path, str(os.getpid()))
    while not Path(go).exists():
        time.sleep(0.05)
    return "held"


@task_registry.register(name="stubborn")
def stubborn(path: str, kind: str = "deaf") -> None:
    """Hang, and neither end when told to, or make an error of its own of that."""
    if kind == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(path, str(os.getpid()))
    try:
        time.sleep(600)
    except BaseException as error:
        raise RuntimeError("an error of its own") from error


@task_registry.register(name="eat")
def eat(megabytes: int) -> int:
    """Take memory."""
    return len(bytearray(megabytes * 1024 * 1024))


@task_registry.register(name="report", label="Report")
def report(
    run: RunContext,
    title: str,
    count: int = 1,
    ratio: float | None = None,
    kind: Literal["text", "pdf"] = "text",
    day: dt.date | None = None,
    loud: bool = False,
    names: list[str] | None = None,
) -> str:
    """Count slowly, in words."""
    for number in range(count):
        log.info("%s %s of %s", title, number + 1, count)
        run.progress(number + 1, count, title)
        time.sleep(0.2)
    return f"{title} {kind} {ratio} {day} {loud} {names}"
