"""The benchmark of tasks runs from end to end; what it measures is asserted nowhere, that every slot had its run is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.tasks.plan import quantiles
from tests.services import ROOT


@pytest.mark.slow
def test_every_slot_has_its_run_in_both(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", "tests.bench", "tasks", "--quick", "--tasks-json", str(results)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    measured = {tuple(each["key"][2:]): each for each in json.loads(results.read_text())}
    assert {kind for kind, _through in measured} == {"claims", "burst", "steady", "apart"}
    for kind in ("claims", "burst", "apart"):
        assert measured[kind, "product"]["runs"] == measured[kind, "product"]["expected"] == 40
    assert measured["burst", "yardstick"]["runs"] == 40
    assert measured["apart", "product"]["memory_bytes"] > 0
    assert "of the yardstick's runs a second" in done.stdout


def test_quantiles() -> None:
    assert quantiles([]) == (0.0, 0.0)
    assert quantiles([3.0]) == (3.0, 3.0)
    assert quantiles([float(number) for number in range(101)]) == (50.0, 99.0)
