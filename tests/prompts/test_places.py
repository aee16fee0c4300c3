"""Prompts that wait for their models hold up nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import make_settings
from tests.pages import PageClient
from tests.prompts.scheduling import act, make_due, outcomes, runs, schedule
from tests.tasks import functions
from tests.tasks.pages import add, newest_run, tick_until
from webapp.config import Settings
from webapp.lib import clock

assert functions


@pytest.fixture
def settings(instance: Path) -> Settings:
    return make_settings(instance, task_slots=1, task_modules=("tests.tasks.functions",))


def test_prompts_that_wait_hold_up_nobody(app: Flask, signed_in: PageClient, tmp_path: Path) -> None:
    """With one slot in the process, prompts whose models stall run side by side, and so does what needs the slot."""
    stalled = [schedule(signed_in, model="scripted-stall") for _ in range(3)]
    for prompt_id in stalled:
        make_due(app, prompt_id)
    tick_until(app, lambda: sum(each.answer_id is not None for each in outcomes(app)) == 3)
    add(app, "note_here", {"path": str(tmp_path / "out")}, scheduled_at=clock.utc_now())
    tick_until(app, lambda: (run := newest_run(app)).run_state.final and run)
    assert [each.state for each in runs(app)] == ["running"] * 3 + ["succeeded"]
    assert (tmp_path / "out").read_text() == "ran\n"
    for prompt_id in stalled:
        act(signed_in, prompt_id, "delete")
