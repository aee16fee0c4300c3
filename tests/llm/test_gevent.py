"""The same tests where the standard library runs on gevent, as it does in the server's workers."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.fakes.running import ROOT, FakeUpstream

PATCHED = "from gevent import monkey; monkey.patch_all()\n"


def run(script: str, *arguments: str, patched: str = PATCHED) -> str:
    """Run a script in a patched process and return what it prints; a failure fails the test with that."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-c", patched + script, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(500)
@pytest.mark.parametrize(
    "chosen",
    [
        ["tests/llm/test_aborting.py"],
        ["tests/llm/test_failures.py", "-k", "not local"],
        ["tests/llm/test_contract.py", "-k", "whole or reasoning or line_ends or again"],
    ],
    ids=lambda chosen: chosen[0].rpartition("_")[2],
)
def test_same_tests_on_gevent(chosen: list[str]) -> None:
    script = "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    printed = run(script, "-q", "-p", "no:cacheprovider", "-n", "0", *chosen)
    assert " passed" in printed


def test_modules_imported_before_patching() -> None:
    """The server's master may import before its workers patch: requests must still be told apart."""
    script = (
        "import webapp.llm.providers.openai_compatible, webapp.llm.providers.zhipu, webapp.llm.providers.local\n"
        + PATCHED
        + "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    )
    chosen = ("tests/llm/test_aborting.py", "-k", "hundred or fifty or disturbs")
    assert " passed" in run(script, "-q", "-p", "no:cacheprovider", "-n", "0", *chosen, patched="")


def test_burst_leaves_others_their_turns(upstream: FakeUpstream) -> None:
    """What has arrived is read without waiting, so a reader with much to read must step back by itself."""
    script = (
        "import sys, time, threading, pathlib\n"
        "from tests.fakes.running import FakeUpstream\n"
        "from tests.llm.adapters import Adapter\n"
        "stream = iter(Adapter(FakeUpstream(int(sys.argv[1]), 0), pathlib.Path()).open('tokens=20000'))\n"
        "next(stream)\n"
        "time.sleep(1)  # by now the rest lies in the socket\n"
        "turns = 0\n"
        "def others():\n"
        "    global turns\n"
        "    while True:\n"
        "        time.sleep(0)\n"
        "        turns += 1\n"
        "threading.Thread(target=others, daemon=True).start()\n"
        "for reads, _ in enumerate(stream): pass\n"
        "print(turns, reads)\n"
    )
    turns, reads = map(int, run(script, str(upstream.port)).split())
    assert turns >= reads / 2 > 10
