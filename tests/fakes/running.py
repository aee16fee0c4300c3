"""The fake upstream as a process, and what it tells of its calls."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 20


@dataclass(frozen=True)
class FakeUpstream:
    """A running fake."""

    port: int
    pid: int

    @property
    def host(self) -> str:
        """Host and port, as they stand on the list of allowed hosts."""
        return f"127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        return f"http://{self.host}/v1"

    @property
    def zhipu_url(self) -> str:
        return f"http://{self.host}/api/paas/v4"

    def calls(self, key: str) -> list[dict[str, Any]]:
        """Return the calls with a key: path, headers, body, and when."""
        return list(self._told("calls", key))

    def ended(self, key: str) -> dict[str, int]:
        """Return how the streams with a key ended."""
        return dict(self._told("ended", key))

    def open(self) -> dict[str, int]:
        """Return how many streams and connections are open."""
        return dict(self._told("open"))

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; the fake learns of a lost reader a moment later."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"in vain: {self.open()}"
            time.sleep(0.01)

    def _told(self, what: str, key: str = "") -> Any:
        url = f"http://{self.host}/control/{what}?key={quote(key)}"
        with urllib.request.urlopen(url, timeout=WAIT_SECONDS) as response:
            return json.load(response)


@contextmanager
def fake_upstream(*arguments: str) -> Iterator[FakeUpstream]:
    """Run a fake; it ends with the block, or with this process."""
    command = [sys.executable, "-m", "tests.fakes.upstream", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield FakeUpstream(json.loads(process.stdout.readline())["port"], process.pid)
        finally:
            process.stdin.close()
            process.wait(WAIT_SECONDS)
