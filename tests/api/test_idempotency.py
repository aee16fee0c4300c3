"""A call repeated with one Idempotency-Key does one thing, and each time gets the answer of the first."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.api.calling import data_of, plain, reason_of
from tests.api.probe import TAKEN, Probe
from webapp.database import db
from webapp.identity.models import SignIn
from webapp.web.api import idempotency
from webapp.web.api.models import IdempotencyKey


def call(app: Flask, name: str = "x", key: str = "8b1f-key") -> TestResponse:
    return plain(app).post("/api/probe", json={"name": name}, headers={"Idempotency-Key": key})


def rows_made(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(SignIn)) or 0


def test_fifty_calls_at_once_make_one_thing(each_app: Flask) -> None:
    probe, start = Probe(each_app), threading.Barrier(50)
    probe.slow = 0.2

    def one(_number: int) -> TestResponse:
        start.wait()
        return call(each_app)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(one, range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 49
    assert (probe.calls, rows_made(each_app)) == (1, 1)


def test_without_a_key_each_call_counts(app: Flask) -> None:
    probe = Probe(app)
    assert {plain(app).post("/api/probe", json={"name": "x"}).status_code for _ in range(2)} == {200}
    assert probe.calls == 2


def test_another_key_is_another_call(app: Flask) -> None:
    probe = Probe(app)
    assert call(app).text != call(app, key="other").text
    assert probe.calls == 2


def test_a_key_is_for_one_body(app: Flask) -> None:
    Probe(app)
    call(app)
    refused = call(app, name="y")
    assert (refused.status_code, reason_of(refused)) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "with space", "x" * 129, "ü"])
def test_keys_are_short_and_plain(app: Flask, key: str) -> None:
    Probe(app)
    assert call(app, key=key).status_code == 422


def test_a_refusal_frees_the_key(app: Flask) -> None:
    probe = Probe(app)
    probe.fails = TAKEN
    assert call(app).status_code == 409
    probe.fails = None
    assert data_of(call(app))["name"] == "x"
    assert rows_made(app) == 1


def test_a_call_that_broke_off_is_not_tried_again(app: Flask) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    probe = Probe(app)
    probe.fails = ZeroDivisionError()
    assert call(app).status_code == 500
    probe.fails = None
    with time_machine.travel(dt.datetime.now(dt.UTC) + idempotency.LONGEST_CALL * 2, tick=True):
        refused = call(app)
        assert (refused.status_code, reason_of(refused)) == (409, "idempotency_unknown")
    assert probe.calls == 1


def test_answers_are_kept_for_a_day_and_not_in_clear(app: Flask) -> None:
    probe = Probe(app)
    first = call(app)
    with app.app_context():
        with db.engine.connect() as connection:
            stored = connection.exec_driver_sql("SELECT answer FROM idempotency_keys").scalar_one()
        assert "Success" not in stored
        idempotency.purge()
        assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == 1
    assert call(app).text == first.text
    with time_machine.travel(dt.datetime.now(dt.UTC) + idempotency.KEPT * 1.1, tick=True):
        with app.app_context():
            idempotency.purge()
            assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
        assert call(app).text != first.text
    assert probe.calls == 2
