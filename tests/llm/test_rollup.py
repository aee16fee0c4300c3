"""The usage ledger added up by the day: the same figures as from its entries, whatever comes late."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, func, insert, select

from tests.people import add_user
from tests.tasks.pages import tick_until
from webapp.accounts.models import User
from webapp.audit import service as audit
from webapp.database import db
from webapp.database.buckets import HOUR, TEN_MINUTES
from webapp.llm import figures, rollup
from webapp.llm.models import UsageDay, UsageEntry
from webapp.tasks import service as tasks
from webapp.tasks.built_in import ensure_built_in
from webapp.tasks.models import Task
from webapp.tasks.rules import RunState

NOON = dt.datetime(2026, 11, 24, 12, 30, tzinfo=dt.UTC)
START = NOON - dt.timedelta(days=9, hours=5)
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def add_entries(user_ids: list[int | None], count: int, moment: dt.datetime | None = None) -> None:
    chance = random.Random(7)
    rows = [
        {
            "user_id": chance.choice(user_ids),
            "source": f"s{next(_numbers)}",
            "model": chance.choice(["glm-4-plus", "local", "deepseek:chat"]),
            "ending": chance.choice(["complete", "failed", "stopped"]),
            "prompt_tokens": chance.randint(0, 900),
            "completion_tokens": chance.randint(0, 900),
            "cost_micros": chance.choice([None, 5, 70]),
            "first_token_ms": chance.choice([None, 40, 350, 2200]),
            "created_at": moment or NOON - dt.timedelta(minutes=chance.randint(0, 12 * 1440)),
        }
        for _row in range(count)
    ]
    db.session.execute(insert(UsageEntry), rows)
    db.session.commit()


def all_figures() -> dict[str, Any]:
    """Return every figure of a stretch that neither begins nor ends with a day."""
    by_user = figures.by_user(START, NOON)
    return {
        "hours": sorted(figures.by_hour(START, NOON, HOUR), key=lambda row: row[:2]),
        "pieces": sorted(figures.by_hour(START, NOON, TEN_MINUTES), key=lambda row: row[:2]),
        "waits": sorted(figures.waits(START, NOON, HOUR)),
        "people": figures.people(START, NOON),
        "models": figures.by_model(START, NOON),
        "users": sorted(by_user, key=lambda row: row[0] or 0),
        "one day": figures.by_model(NOON - dt.timedelta(hours=3), NOON),
        "old": figures.by_model(START, START + dt.timedelta(hours=40)),
    }


def test_figures_are_those_of_the_entries_before_and_after(each_app: Flask) -> None:
    users = [add_user(each_app, f"user{number}", f"User {number}").id for number in range(4)]
    with each_app.app_context():
        add_entries([*users, None], 1500)
        from_entries = all_figures()
        assert sum(took.answers for _model, took in from_entries["models"]) > 1000
        assert rollup.roll_up() == 12
        assert all_figures() == from_entries
        assert rollup.roll_up() == 0

        add_entries(users[:1], 5, NOON - dt.timedelta(days=4))  # came late
        assert rollup.roll_up() == 1
        late = all_figures()
        assert sum(took.answers for _m, took in late["models"]) == 5 + sum(
            took.answers for _m, took in from_entries["models"]
        )
        assert rollup.rebuild() == 12
        assert all_figures() == late

        db.session.execute(delete(User).where(User.id == users[0]))
        db.session.commit()
        of_nobody = dict(all_figures()["users"])[None].answers
        assert of_nobody == dict(late["users"])[None].answers + dict(late["users"])[users[0]].answers


def test_days_that_are_added_up_are_not_read_again(app: Flask) -> None:
    with app.app_context():
        add_entries([None], 300)
        rollup.roll_up()
        before = all_figures()
        within = (UsageEntry.created_at >= START + rollup.DAY, UsageEntry.created_at < rollup.day_of(NOON))
        db.session.execute(
            delete(UsageEntry).where(*within), execution_options={"synchronize_session": False}
        )
        db.session.commit()
        assert all_figures()["models"] == before["models"]
        assert all_figures()["hours"] == before["hours"]
        assert all_figures()["waits"] == before["waits"]


def test_day_that_is_not_over_is_left_and_added_up_once_it_is(app: Flask) -> None:
    with app.app_context():
        assert rollup.roll_up() == 0
        add_entries([None], 3, NOON)
        assert rollup.roll_up() == 0
        with time_machine.travel(NOON + rollup.DAY, tick=False):
            assert rollup.roll_up() == 1
        assert db.session.scalar(select(func.sum(UsageDay.answers))) == 3


def test_task_adds_up_and_command_makes_it_anew(app: Flask) -> None:
    with app.app_context():
        add_entries([None], 20, NOON - 2 * rollup.DAY)
        ensure_built_in()
        task_id = db.session.scalars(select(Task.public_id).where(Task.built_in_key == "roll_up_usage")).one()
        run_id = tasks.run_now(audit.SYSTEM, task_id).public_id
    tick_until(app, lambda: ended(app, run_id))
    with app.app_context():
        run, _task = tasks.get_run(run_id)
        assert (run.run_state, run.result) == (RunState.SUCCEEDED, "2")
    result = app.test_cli_runner().invoke(args=["usage", "roll-up", "--anew"])
    assert (result.exit_code, result.output) == (0, "2 days were added up.\n")


def ended(app: Flask, run_id: str) -> bool:
    with app.app_context():
        return tasks.get_run(run_id)[0].run_state.final
