"""What is put under load, each in a process of its own: the upstream, the product, the yardstick."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask_migrate import upgrade

from tests.api.calling import api_token
from tests.bench.streams import plan
from tests.bench.streams.probe import FILE_VARIABLE
from tests.conftest import make_settings
from tests.people import add_user
from tests.servers import ROOT, serving
from tests.services import free_port
from webapp.app import create_app
from webapp.extensions import db

START_SECONDS = 30
MODEL = "bench"
TOKENS = "tokens.json"
_LOOPS = {False: ("--loop", "asyncio", "--http", "h11"), True: ("--loop", "uvloop", "--http", "httptools")}


@dataclass(frozen=True, slots=True)
class Target:
    """One process, or several, that serve on a port."""

    port: int
    pids: tuple[int, ...]
    stalls: Path


def make_instance(folder: Path, users: int, database_url: str = "") -> None:
    """Make an instance folder with a migrated database in which some people have accounts and tokens."""
    folder.mkdir()
    app = create_app(make_settings(folder, log_level="WARNING", database_url=database_url))
    with app.app_context():
        upgrade()
    tokens = []
    for number in range(users):
        person = add_user(app, f"bench{number}", f"Bench {number}")
        tokens.append(api_token(app, person)["Authorization"].removeprefix("Bearer "))
    (folder / TOKENS).write_text(json.dumps(tokens))
    with app.app_context():
        db.engine.dispose()


def tokens_of(folder: Path) -> tuple[str, ...]:
    """Return the tokens of the people of an instance."""
    return tuple(json.loads((folder / TOKENS).read_text()))


@contextlib.contextmanager
def upstream(tokens_per_second: float = plan.TOKENS_PER_SECOND) -> Iterator[Target]:
    """Start the model that answers at an even pace."""
    port = free_port()
    pace = [str(tokens_per_second), str(plan.FIRST_TOKEN_SECONDS)]
    command = [sys.executable, "-m", "tests.bench.streams.upstream", str(port), *pace]
    with _process(command, port) as process:
        yield Target(port, (process.pid,), Path(os.devnull))


@contextlib.contextmanager
def product(
    folder: Path, upstream_port: int, provider: str, workers: int = 1, database_url: str = ""
) -> Iterator[Target]:
    """Start the product as `make run` does, and one of its providers led to the upstream."""
    stalls = folder / "stalls.txt"
    with serving(
        folder,
        config="tests/bench/streams/gunicorn_probed.py",
        **{FILE_VARIABLE: str(stalls)},
        **_provider_settings(provider, upstream_port),
        LLM_OUTBOUND_ALLOW_HOSTS=f"127.0.0.1:{upstream_port}",
        MAX_STREAMS_PER_USER="1000",
        SCRIPTED_MODELS="false",
        WEB_CONCURRENCY=str(workers),
        DATABASE_URL=database_url,
    ) as server:
        while len(server.workers()) < workers:
            time.sleep(0.05)
        yield Target(int(server.url.rpartition(":")[2]), tuple(server.workers()), stalls)


@contextlib.contextmanager
def yardstick(folder: Path, upstream_port: int, *, fast: bool) -> Iterator[Target]:
    """Start the hand-written relay: one process of uvicorn, as it is, or with its compiled loop and parser."""
    port, stalls = free_port(), folder / "stalls-yardstick.txt"
    command = [sys.executable, "-m", "uvicorn", "tests.bench.streams.yardstick:app", "--port", str(port)]
    command += ["--log-level", "warning", "--no-access-log", *_LOOPS[fast]]
    settings = {"BENCH_UPSTREAM": f"http://127.0.0.1:{upstream_port}", FILE_VARIABLE: str(stalls)}
    with _process(command, port, **settings) as process:
        yield Target(port, (process.pid,), stalls)


def _provider_settings(provider: str, port: int) -> dict[str, str]:
    if provider == "zhipu":
        return {
            "ZHIPUAI_API_KEY": "bench.key",
            "ZHIPUAI_BASE_URL": f"http://127.0.0.1:{port}",
            "ZHIPUAI_MODELS": MODEL,
        }
    return {
        "OPENAI_COMPATIBLE_BASE_URL": f"http://127.0.0.1:{port}",
        "OPENAI_COMPATIBLE_MODELS": MODEL,
        "OPENAI_COMPATIBLE_API_KEY": "bench",
    }


@contextlib.contextmanager
def _process(command: list[str], port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment})
    try:
        _wait_until_it_answers(process, port)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"did not start: {process.args!r}")
