"""E-mailed codes: how they are made, tried, and end."""

from __future__ import annotations

import datetime as dt
import re
import threading

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from tests.letters import wrong_code
from webapp.database import db, write_transaction
from webapp.errors import Invalid, TooMany
from webapp.identity import codes, rules
from webapp.identity import service as identity
from webapp.identity.models import VerificationCode
from webapp.identity.rules import Purpose

ADDRESS = "chen.mo@example.com"
issue = write_transaction(identity.issue_code)
consume = write_transaction(identity.consume_code)


@pytest.fixture
def within(app: Flask):
    with app.test_request_context():
        yield


def test_code_is_six_digits_with_leading_zeros(within) -> None:
    made = [issue(Purpose.REGISTER, f"person{number}@example.com") for number in range(60)]
    assert all(re.fullmatch(r"[0-9]{6}", code) for code in made)
    assert len(set(made)) > 50
    first = {code[0] for code in made}
    assert len(first) > 5, "the first digit varies, and may be 0"


def test_right_code_works_once(within) -> None:
    code = issue(Purpose.REGISTER, ADDRESS)
    assert consume(Purpose.REGISTER, ADDRESS, code).right
    assert not consume(Purpose.REGISTER, ADDRESS, code).right


def test_five_tries_and_the_code_is_dead(within) -> None:
    code = issue(Purpose.REGISTER, ADDRESS)
    left = [consume(Purpose.REGISTER, ADDRESS, wrong_code(code)).tries_left for _turn in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert not consume(Purpose.REGISTER, ADDRESS, code).right


def test_words_of_a_wrong_code_say_what_is_left(within) -> None:
    code = issue(Purpose.REGISTER, ADDRESS)
    told = []
    for _turn in range(6):
        with pytest.raises(Invalid) as refusal:
            consume(Purpose.REGISTER, ADDRESS, wrong_code(code)).require()
        told.append(refusal.value.sentence)
    assert told[1] == "That code is not right. 3 tries left."
    assert told[3] == "That code is not right. 1 try left."
    assert told[4] == told[5] == "That code is not right or no longer works. Ask for a new one."


@pytest.mark.parametrize(("minutes", "works"), [(9.9, True), (10.1, False)])
def test_code_lives_ten_minutes(within, minutes: float, works: bool) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        code = issue(Purpose.REGISTER, ADDRESS)
        clock.shift(dt.timedelta(minutes=minutes))
        assert consume(Purpose.REGISTER, ADDRESS, code).right is works


def test_code_is_bound_to_purpose_and_address(within) -> None:
    code = issue(Purpose.REGISTER, ADDRESS)
    assert not consume(Purpose.RESET_PASSWORD, ADDRESS, code).right
    assert not consume(Purpose.REGISTER, "other@example.com", code).right
    assert consume(Purpose.REGISTER, ADDRESS.upper(), f" {code} ").right


def test_new_code_kills_the_older_one_of_that_purpose_only(within) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        reset = issue(Purpose.RESET_PASSWORD, ADDRESS)
        older = issue(Purpose.REGISTER, ADDRESS)
        clock.shift(61)
        newer = issue(Purpose.REGISTER, ADDRESS)
        if older != newer:
            assert not consume(Purpose.REGISTER, ADDRESS, older).right
        assert consume(Purpose.REGISTER, ADDRESS, newer).right
        assert consume(Purpose.RESET_PASSWORD, ADDRESS, reset).right


def test_next_code_only_after_a_minute(within) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        issue(Purpose.REGISTER, ADDRESS)
        clock.shift(59)
        with pytest.raises(TooMany):
            issue(Purpose.REGISTER, ADDRESS)
        clock.shift(2)
        assert issue(Purpose.REGISTER, ADDRESS)


def test_five_codes_a_day_to_one_address_for_all_purposes(within) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        for turn in range(5):
            issue(
                Purpose.REGISTER if turn % 2 else Purpose.RESET_PASSWORD,
                ADDRESS.upper() if turn % 3 else ADDRESS,
            )
            clock.shift(61)
        with pytest.raises(TooMany) as refusal:
            issue(Purpose.REGISTER, ADDRESS)
        assert refusal.value.code == "code_cap_address"
        assert issue(Purpose.REGISTER, "other@example.com")
        clock.shift(dt.timedelta(days=1))
        assert issue(Purpose.REGISTER, ADDRESS)


def test_codes_in_all_are_capped(within, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "CODES_AN_HOUR_IN_ALL", 3)
    for number in range(3):
        issue(Purpose.REGISTER, f"person{number}@example.com")
    with pytest.raises(TooMany) as refusal:
        issue(Purpose.REGISTER, ADDRESS)
    assert refusal.value.code == "code_cap_all"


def test_database_holds_no_code_in_clear(within) -> None:
    code = issue(Purpose.REGISTER, ADDRESS)
    tables = db.session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
    for table in tables:
        for row in db.session.execute(text(f'SELECT * FROM "{table}"')):
            words = re.split(
                r"[^0-9A-Za-z]", " ".join(str(value) for value in row if not isinstance(value, dt.datetime))
            )
            assert code not in words, table


def test_hash_is_keyed(within, app: Flask) -> None:
    """Whoever steals the table cannot try the million codes: the hash needs the deployment's secret."""
    import hashlib

    code = issue(Purpose.REGISTER, ADDRESS)
    stored = db.session.scalars(select(VerificationCode.code_hash)).one()
    for guess in (code, ADDRESS + code, f"verification-code\0register\0{ADDRESS}\0{code}"):
        assert stored != hashlib.sha256(guess.encode()).hexdigest()


def test_old_codes_are_erased(within) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        issue(Purpose.REGISTER, ADDRESS)
        clock.shift(dt.timedelta(days=1))
        codes.purge()
        assert db.session.scalars(select(VerificationCode)).all(), "still needed for the cap of the day"
        clock.shift(dt.timedelta(days=2))
        codes.purge()
        assert not db.session.scalars(select(VerificationCode)).all()


def test_one_code_tried_by_many_at_once_is_right_once(each_app: Flask) -> None:
    with each_app.test_request_context():
        code = issue(Purpose.REGISTER, ADDRESS)
    verdicts: list[bool] = []
    start = threading.Barrier(8)

    def use() -> None:
        with each_app.app_context():
            start.wait(30)
            verdicts.append(consume(Purpose.REGISTER, ADDRESS, code).right)

    in_threads(use, 8)
    assert sorted(verdicts) == [False] * 7 + [True]


def test_tries_of_many_at_once_are_all_counted(each_app: Flask) -> None:
    with each_app.test_request_context():
        code = issue(Purpose.REGISTER, ADDRESS)
    left: list[int] = []
    start = threading.Barrier(8)

    def guess() -> None:
        with each_app.app_context():
            start.wait(30)
            left.append(consume(Purpose.REGISTER, ADDRESS, wrong_code(code)).tries_left)

    in_threads(guess, 8)
    assert sorted(left) == [0, 0, 0, 0, 1, 2, 3, 4]


def in_threads(job, count: int) -> None:
    threads = [threading.Thread(target=job) for _number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
