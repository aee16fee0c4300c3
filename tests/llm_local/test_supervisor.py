"""The supervisor keeps the model's process alive, says where it listens, and leaves nothing behind."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes import is_running, wait_for
from webapp.llm.local import endpoint
from webapp.llm.local.supervisor import Plan, Supervisor

# A stand-in for the model's process: it notes each start, and behaves as the test says.
CHILD = """
import json, os, sys, time
folder, behaviour = sys.argv[1:]
order = json.loads(sys.stdin.readline())
starts = len([name for name in os.listdir(folder) if name.startswith("start")])
with open(os.path.join(folder, f"start{starts}"), "w") as file:
    json.dump({"pid": os.getpid(), **order}, file)
if behaviour == "silent":
    time.sleep(600)
if behaviour == "crash" or (behaviour == "crash once" and starts == 0):
    os._exit(7)
if behaviour == "garbage":
    print("llama_model_loader: oops", flush=True)
if behaviour.startswith("no_"):
    print(json.dumps({"state": behaviour, "detail": "libgomp.so.1: cannot open shared object file"}), flush=True)
    os._exit(1)
print(json.dumps({"state": "ready", "port": 4000 + starts}), flush=True)
if behaviour == "die when asked" and starts == 0:
    while not os.path.exists(os.path.join(folder, "die")):
        time.sleep(0.01)
    os._exit(9)
sys.stdin.read()
if behaviour == "stubborn":
    time.sleep(600)
"""

Start = Callable[..., Supervisor]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Run a supervisor of a child that behaves in a certain way, until the test ends."""
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    started: list[tuple[Supervisor, threading.Thread]] = []

    def run(behaviour: str, *, ready_seconds: float = 30) -> Supervisor:
        (tmp_path / "starts").mkdir()
        supervisor = Supervisor(
            tmp_path,
            Plan(Path("/models/tiny.gguf"), "tiny"),
            command=(sys.executable, str(script), str(tmp_path / "starts"), behaviour),
            ready_seconds=ready_seconds,
            pauses_seconds=(0.05,),
        )
        thread = threading.Thread(target=supervisor.run)
        thread.start()
        started.append((supervisor, thread))
        return supervisor

    yield run
    for supervisor, thread in started:
        supervisor.stop()
        thread.join(30)
        assert not thread.is_alive()
    assert not (tmp_path / endpoint.FILE).exists()


def state_is(instance: Path, state: str) -> endpoint.Record:
    """Wait until the supervisor says this of its model."""

    def look() -> endpoint.Record | None:
        record = endpoint.read(instance)
        return record if record is not None and record.state == state else None

    record = wait_for(look)
    assert isinstance(record, endpoint.Record)
    return record


def starts(instance: Path) -> list[dict[str, object]]:
    """Return what each start of the child was told."""
    return [json.loads(path.read_text() or "{}") for path in sorted((instance / "starts").glob("start*"))]


def is_gone(pid: object) -> bool:
    assert isinstance(pid, int)
    return not is_running(pid)


def test_says_where_the_model_listens(start: Start, tmp_path: Path) -> None:
    start("well")
    where = state_is(tmp_path, "ready").endpoint
    assert where is not None
    assert where.base_url == "http://127.0.0.1:4000/v1"
    assert where.model == "tiny"
    order = starts(tmp_path)[0]
    assert where.api_key == order["key"]
    assert order["path"] == "/models/tiny.gguf"
    assert (tmp_path / endpoint.FILE).stat().st_mode & 0o777 == 0o600


def test_stop_ends_the_model(start: Start, tmp_path: Path) -> None:
    supervisor = start("well")
    state_is(tmp_path, "ready")
    supervisor.stop()
    supervisor.stop()
    assert is_gone(starts(tmp_path)[0]["pid"])


@pytest.mark.slow
def test_stop_ends_a_model_that_does_not_listen(start: Start, tmp_path: Path) -> None:
    supervisor = start("stubborn")
    state_is(tmp_path, "ready")
    supervisor.stop()
    assert is_gone(starts(tmp_path)[0]["pid"])


@pytest.mark.slow
def test_stop_while_the_model_loads(start: Start, tmp_path: Path) -> None:
    supervisor = start("silent")
    wait_for(lambda: starts(tmp_path))
    supervisor.stop()
    assert is_gone(starts(tmp_path)[0]["pid"])


def test_a_crash_while_loading_is_tried_again(start: Start, tmp_path: Path) -> None:
    start("crash once")
    assert state_is(tmp_path, "ready").endpoint is not None
    assert len(starts(tmp_path)) == 2


def test_a_crash_while_serving_gives_a_new_port_and_key(start: Start, tmp_path: Path) -> None:
    start("die when asked")
    before = state_is(tmp_path, "ready").endpoint
    (tmp_path / "starts" / "die").touch()
    wait_for(lambda: len(starts(tmp_path)) == 2)
    after = state_is(tmp_path, "ready").endpoint
    assert before is not None
    assert after is not None
    assert after.base_url != before.base_url
    assert after.api_key != before.api_key


@pytest.mark.parametrize("behaviour", ["crash", "garbage"])
def test_one_that_keeps_failing_is_called_failed_and_tried_on(
    start: Start, tmp_path: Path, behaviour: str
) -> None:
    start(behaviour)
    assert "did not start" in state_is(tmp_path, "failed").detail
    count = len(starts(tmp_path))
    wait_for(lambda: len(starts(tmp_path)) > count)


def test_one_that_never_gets_ready_is_ended(start: Start, tmp_path: Path) -> None:
    start("silent", ready_seconds=0.5)
    state_is(tmp_path, "failed")
    assert is_gone(starts(tmp_path)[0]["pid"])


def test_a_missing_library_is_told_and_not_tried_again(start: Start, tmp_path: Path) -> None:
    start("no_libgomp")
    assert "libgomp.so.1" in state_is(tmp_path, "no_libgomp").detail
    time.sleep(0.3)
    assert len(starts(tmp_path)) == 1
