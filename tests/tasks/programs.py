"""Processes that do scheduled work, as they are started in a deployment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.conftest import SECRET
from tests.processes import wait_for
from webapp.config import ROOT, Settings

SCHEDULER = ("flask", "--app", "wsgi", "scheduler", "run")
WORKER = ("celery", "-A", "webapp.celery_app", "worker", "--loglevel", "INFO")


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """Return the environment of a process that shares database and functions with the application under test."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(settings.instance_path),
        "ENV_FILE": os.devnull,
        "SECRET_KEY": SECRET,
        "INSTANCE_PATH": str(settings.instance_path),
        "DATABASE_URL": settings.database_url,
        "LOCAL_MODEL": "off",
        "LOG_TO_FILE": "false",
        "TASK_MODULES": ",".join(settings.task_modules),
        "TASK_ENGINE": settings.task_engine,
        "REDIS_URL": settings.redis_url,
        **more,
    }


@contextmanager
def started(
    command: tuple[str, ...], settings: Settings, log: Path, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m command` until the block ends; whatever is left of it then is killed."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environment(settings, **more),
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all below it, without a chance to say anything."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.kill()
    process.wait()
    for each in family:
        if each.is_running():
            each.kill()


def end(process: subprocess.Popen[bytes], log: Path) -> None:
    """End a process with TERM; it must leave nothing behind."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, log.read_text()
    wait_for(lambda: not [child for child in family if child.is_running()])
