"""A provider on a socket for tests of chats: applications that use it, and what it saw."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from webapp.config import ROOT

WAIT_SECONDS = 60


@dataclass(frozen=True)
class FakeProvider:
    """The fake upstream, running."""

    port: int

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings of an application that may call it."""
        host = f"127.0.0.1:{self.port}"
        return {"openai_compatible_base_url": f"http://{host}/v1", "llm_outbound_allow_hosts": (host,)}

    def calls(self, key: str) -> list[dict[str, Any]]:
        return list(self._told(f"calls?key={quote(key)}"))

    def ended(self, key: str) -> dict[str, int]:
        """Return how the streams ended: whole, cut by the provider, left by us."""
        return dict(self._told(f"ended?key={quote(key)}"))

    def wait_for_calls(self, key: str, number: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + WAIT_SECONDS
        while len(found := self.calls(key)) < number:
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found

    def _told(self, what: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/control/{what}", timeout=20) as response:
            return json.load(response)


@contextmanager
def fake_provider() -> Iterator[FakeProvider]:
    command = [sys.executable, "-m", "tests.fakes.upstream"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield FakeProvider(json.loads(process.stdout.readline())["port"])
        finally:
            process.stdin.close()
            process.wait(20)
