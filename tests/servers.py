"""The real server for tests: gunicorn with real workers on a free port, to be killed, stopped and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.conftest import SECRET
from tests.services import free_port

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60


@dataclass
class Server:
    """A running server: its address, and its processes."""

    url: str
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    def kill_worker(self, pid: int | None = None) -> None:
        """Kill a worker as the kernel would: without a word."""
        os.kill(pid or self.workers()[0], signal.SIGKILL)

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz/ready", timeout=2):
                return
            time.sleep(0.1)
        raise AssertionError(f"no answer: {self.log.read_text()[-4000:]}")

    def stop(self) -> None:
        """End it as an operator would."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()


@contextlib.contextmanager
def serving(
    instance: Path, *, port: int | None = None, config: str = "gunicorn.conf.py", **environment: str
) -> Iterator[Server]:
    """Start a server on an instance folder whose database is migrated; settings go in upper case."""
    port = port or free_port()
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(instance),
        "ENV_FILE": os.devnull,
        "PYTHONPATH": str(ROOT),
        "SECRET_KEY": SECRET,
        "INSTANCE_PATH": str(instance),
        "PORT": str(port),
        "LOCAL_MODEL": "off",
        "SCRIPTED_MODELS": "true",
        "RATE_LIMITS": "false",
        **environment,
    }
    log = instance / f"server-{port}.log"
    with log.open("ab") as output:
        command = [sys.executable, "-m", "gunicorn", "--config", config, "wsgi:app"]
        process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=output, stderr=output)
    server = Server(f"http://127.0.0.1:{port}", settings, log, process)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()
