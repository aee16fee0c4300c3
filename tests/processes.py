"""Whole programs under test: started in a session of their own, watched, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

WAIT_SECONDS = 60


def wait_for(look: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    """Return what the call returns once it is something; ends the test when that never comes."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {seconds} seconds in vain"
        time.sleep(0.02)
    return found


def is_running(pid: int) -> bool:
    """Tell whether a process lives; one that has ended and was not collected yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass
class Program:
    """A program that serves HTTP."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def output(self) -> str:
        """Return what it has printed so far."""
        return self.log.read_text(errors="replace")

    def wait_until_it_answers(self, path: str = "/healthz/live", seconds: float = WAIT_SECONDS) -> bytes:
        """Return the body of a page once there is one; one that ended instead fails the test with its output."""

        def fetch() -> bytes | None:
            code = self.process.poll()
            assert code is None, f"ended with {code}: {self.output}"
            try:
                with urllib.request.urlopen(self.url + path, timeout=10) as response:
                    return bytes(response.read())
            except urllib.error.HTTPError as error:
                return error.read()
            except OSError:
                return None

        return bytes(wait_for(fetch, seconds))

    def family(self) -> list[psutil.Process]:
        """Return the program's own process and all below it."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def find(self, words: str) -> psutil.Process:
        """Return the first process of the family whose command line has these words."""
        found = [each for each in self.family() if words in " ".join(each.cmdline())]
        assert found, f"no process runs {words}"
        return found[0]

    def press_ctrl_c(self) -> int:
        """Interrupt the whole group, as a terminal does, and return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(WAIT_SECONDS)


def _hear_ctrl_c() -> None:
    """Undo what a shell does to what it starts in the background, which then does not hear Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def program(
    command: Sequence[str], *, cwd: Path, log: Path, port: int, **environment: str
) -> Iterator[Program]:
    """Run a program that listens on the port; whatever is left of it at the end is killed."""
    variables = {**os.environ, "PORT": str(port), **environment}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=cwd,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - it takes no lock
        ) as process,
    ):
        running = Program(process, f"http://127.0.0.1:{port}", log)
        family: list[psutil.Process] = []
        try:
            yield running
            family = running.family() if process.poll() is None else []
        finally:
            for each in family:
                if each.is_running():
                    each.kill()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
