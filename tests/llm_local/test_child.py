"""The model's process: what it reports when its engine is missing, and that it never outlives its starter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import is_running, wait_for
from webapp.config import ROOT
from webapp.llm.local.supervisor import CHILD, Plan

# A stand-in for the engine: it prints, as the real one does, and keeps what it was told.
ENGINE = """
import json, types
class CommonParams(types.SimpleNamespace):
    def __init__(self):
        space = types.SimpleNamespace
        super().__init__(model=space(), cpuparams=space(), cpuparams_batch=space())
class Server:
    listening_address = "http://127.0.0.1:4321"
    def __init__(self, params):
        print("build info, system info, chat template", flush=True)
        facts = {name: value for name, value in vars(params).items() if isinstance(value, (int, str, list))}
        json.dump({**facts, "threads": params.cpuparams.n_threads}, open("told.json", "w"))
"""


@contextmanager
def child(folder: Path, engine: str) -> Iterator[subprocess.Popen[str]]:
    """Run the real child with a stand-in for the engine."""
    (folder / "xllamacpp.py").write_text(engine)
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(CHILD, cwd=folder, env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            process.stdin.write(json.dumps(Plan(Path("/m.gguf"), "tiny").order("secret")) + "\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("engine", "state"),
    [
        ("raise ImportError('libgomp.so.1: cannot open shared object file: No such file')", "no_libgomp"),
        ("raise ModuleNotFoundError('No module named xllamacpp')", "no_engine"),
        (ENGINE + "        raise RuntimeError('Failed to init server')", "failed"),
    ],
)
def test_what_stands_in_the_way_is_reported(tmp_path: Path, engine: str, state: str) -> None:
    with child(tmp_path, engine) as process:
        report = json.loads(process.stdout.readline())
        assert report["state"] == state
        assert process.wait(30) == 1


def test_ready_is_the_only_line_on_standard_output(tmp_path: Path) -> None:
    with child(tmp_path, ENGINE) as process:
        assert json.loads(process.stdout.readline()) == {"state": "ready", "port": 4321}
        process.stdin.close()
        assert process.wait(30) == 0
        assert process.stdout.read() == ""
        assert "build info" in process.stderr.read()


def test_the_engine_s_dangerous_defaults_are_overridden(tmp_path: Path) -> None:
    with child(tmp_path, ENGINE) as process:
        process.stdout.readline()
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["api_keys"] == ["secret"]
    assert told["hostnames"] == ["127.0.0.1"]
    assert told["cache_ram_mib"] == 0
    assert told["n_predict"] == 1024
    assert told["n_ctx"] == told["n_parallel"] * 2048
    assert not told["ui"]
    assert not told["endpoint_slots"]
    assert told["threads"] <= max(1, (os.cpu_count() or 1) // 2)


def test_it_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    (tmp_path / "xllamacpp.py").write_text(ENGINE)
    starter = (
        "import json, subprocess, sys\n"
        "child = subprocess.Popen(json.loads(sys.argv[1]), stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdin.write(sys.argv[2].encode() + b'\\n'); child.stdin.flush(); child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    order = json.dumps(Plan(Path("/m.gguf"), "tiny").order("secret"))
    command = [sys.executable, "-c", starter, json.dumps(CHILD), order]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    wait_for(lambda: not is_running(pid))


def test_its_processes_stay_small() -> None:
    script = "import sys, webapp.llm.local.__main__; print(sorted({'flask', 'sqlalchemy', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
