"""The benchmarks run from end to end; what they measure is asserted nowhere, what they deliver is."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.streams import probe, reading, script
from tests.services import ROOT, missing


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the meters are read from /proc")
def test_every_token_arrives_as_it_was_sent(tmp_path: Path) -> None:
    if importlib.util.find_spec("fastapi") is None:
        missing("fastapi")
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", "tests.bench", "streams", "--quick", "--path", "both"]
    command += ["--json", str(results)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    measured = {each["kind"]: each for each in json.loads(results.read_text())}
    assert measured.keys() == {"yardstick", "fast yardstick", "product", "door"}
    for each in measured.values():
        assert each["faults"] == []
        assert each["delivered"] == each["sent"] > 0
        assert each["exact"] == each["answers"] > each["streams"] > 0
        assert each["first_p50"] > 0
        assert each["cpu_microseconds"] > 0
        assert 0 < each["added_p50"] <= each["added_p99"]
    assert "At 10 streams a token costs the door" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the meters are read from /proc")
def test_both_lists_show_the_same_users(tmp_path: Path) -> None:
    if importlib.util.find_spec("django") is None:
        missing("django")
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", "tests.bench", "users", "--quick", "--list-databases", "sqlite"]
    done = subprocess.run(
        [*command, "--users-json", str(results)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(results.read_text())["sqlite"]
    for page in ("first", "last", "filter", "search"):
        ours, theirs = found["ours"][page], found["django"][page]
        assert ours["faults"] == theirs["faults"] == []
        assert ours["names"] == theirs["names"] != []
        assert ours["per_second"] > 0
        assert theirs["cpu_ms"] > 0
    assert found["ours"]["first"]["names"] != found["ours"]["last"]["names"]


def _answer(*frames: str) -> list[tuple[float, bytes]]:
    """Return the bytes of a response, each chunk in two pieces."""
    pieces = [(0.0, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
    for number, frame in enumerate(frames):
        body = frame.encode()
        chunk = b"%X\r\n%b\r\n" % (len(body), body)
        pieces += [(number + 1.0, chunk[:7]), (number + 1.5, chunk[7:])]
    return [*pieces, (99.0, b"0\r\n\r\n")]


GOOD = (
    'event: snapshot\nid: 0\ndata: {"html": "", "tail": ""}\n\n',
    'event: delta\nid: 2\ndata: {"t": "a\\n"}\n\n: \n\n',
    'event: block\nid: 4\ndata: {"html": "<p>a</p>\\n", "tail": "b"}\n\n',
    'event: done\nid: 4.0.end\ndata: {"html": "<p>b</p>\\n", "state": "complete"}\n\n',
)


def test_reading_tells_what_was_there_when() -> None:
    found = reading.read_product(_answer(*GOOD), "a\n\nb")
    assert found.fault == ""
    assert found.arrivals == [(1.5, 0), (2.5, 2), (3.5, 4), (4.5, 4)]


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        (1, "a\\n", "x\\n"),
        (1, "id: 2", "id: 3"),
        (2, '"b"', '"c"'),
        (2, "<p>a", "<p>x"),
        (3, "complete", "interrupted"),
        (3, "<p>b</p>\\n", ""),
        (3, "event: done", "event: reconnect"),
    ],
)
def test_reading_finds_what_is_wrong(place: int, old: str, new: str) -> None:
    frames = list(GOOD)
    assert old in frames[place]
    frames[place] = frames[place].replace(old, new)
    assert reading.read_product(_answer(*frames), "a\n\nb").fault
    assert reading.read_product(_answer(*GOOD[:place]), "a\n\nb").fault


def test_script_is_cut_without_loss_and_differs_from_stream_to_stream() -> None:
    tokens = script.tokens(7, 900)
    assert len(tokens) == 900
    assert all(tokens)
    assert script.text(7, 900) == "".join(tokens)
    assert script.text(8, 900) != script.text(7, 900)
    assert script.asked(script.question(7, 900)) == (7, 900)
    assert script.asked(f"Write a title for: {script.question(7, 900)}") is None
    whole = script.text(7, 2_000)
    assert whole.startswith(script._BODY.replace("{mark}", "s7-0"))


def test_longest_stall_is_that_of_the_span(tmp_path: Path) -> None:
    notes = tmp_path / "stalls.txt"
    notes.write_text("1.0 0.9 0.1\n5.0 0.02 0.01\n6.0 0.01 0.01\n9.0 0.8 0.1\n")
    assert probe.longest(notes, 4, 7) == (0.02, 0.01)
    assert probe.longest(notes, 20, 30) == (0.0, 0.0)
    assert probe.longest(tmp_path / "none", 4, 7) == (0.0, 0.0)
