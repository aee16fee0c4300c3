"""Codes of an authenticator app and recovery codes: each works once, also when used twice at once."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from webapp.database import db, write_transaction
from webapp.errors import AppError
from webapp.identity import service as identity
from webapp.identity.models import RecoveryCode, SecondFactor
from webapp.identity.rules import Realm

START = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


def set_up(app: Flask, realm: Realm = Realm.USER, subject: int = 7) -> tuple[pyotp.TOTP, list[str]]:
    with app.test_request_context():
        totp = pyotp.TOTP(identity.offer_totp(realm, subject))
        turn_on = write_transaction(identity.turn_totp_on)
        return totp, turn_on(realm, subject, totp.now())


def check(app: Flask, code: str, realm: Realm = Realm.USER, subject: int = 7) -> bool:
    with app.test_request_context():
        passed = write_transaction(identity.check_second_factor)(realm, subject, code)
        db.session.remove()
        return passed is not None


def at_once(count: int, act: Callable[[], bool]) -> list[bool]:
    """Return what came of an act done in several threads at the same time."""
    results: list[bool] = []
    gate = threading.Barrier(count)

    def run() -> None:
        gate.wait()
        results.append(act())

    threads = [threading.Thread(target=run) for _turn in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return results


def test_code_works_once_and_one_step_early_or_late(app: Flask) -> None:
    with time_machine.travel(START, tick=False) as clock:
        totp, _codes = set_up(app)
        used = totp.now()
        assert not check(app, used), "the code that turned it on is spent"
        clock.shift(60)
        late = totp.at(START + dt.timedelta(seconds=30))
        assert check(app, late)
        assert not check(app, late)
        assert check(app, totp.now())
        assert not check(app, late), "no way back in time"
        assert check(app, totp.at(START + dt.timedelta(seconds=90)))
        assert not check(app, totp.at(START + dt.timedelta(seconds=120))), "two steps early"


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３", "000 000 0", "\x00" * 6])
def test_other_texts_are_no_codes(app: Flask, code: str) -> None:
    set_up(app)
    assert not check(app, code)


def test_spaces_and_full_width_digits_are_read(app: Flask) -> None:
    with time_machine.travel(START, tick=False) as clock:
        totp, _codes = set_up(app)
        clock.shift(30)
        code = totp.now()
        assert check(
            app, f" {code[:3]} {code[3:]}".translate({ord("0") + n: ord("０") + n for n in range(10)})
        )


def test_recovery_code_works_once_in_any_spelling(app: Flask) -> None:
    _totp, codes = set_up(app)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([a-z0-9]{4}-){3}[a-z0-9]{4}", code) for code in codes)
    assert check(app, codes[0].upper().replace("-", " "))
    assert not check(app, codes[0])
    with app.app_context():
        assert identity.recovery_codes_left(Realm.USER, 7) == 9


def test_new_recovery_codes_end_the_old_ones(app: Flask) -> None:
    _totp, codes = set_up(app)
    with app.test_request_context():
        fresh = write_transaction(identity.new_recovery_codes)(Realm.USER, 7)
    assert not check(app, codes[1])
    assert check(app, fresh[1])


def test_realms_and_people_are_apart(app: Flask) -> None:
    _totp, codes = set_up(app)
    set_up(app, Realm.ADMIN)
    set_up(app, subject=8)
    assert not check(app, codes[0], Realm.ADMIN)
    assert not check(app, codes[0], subject=8)
    assert check(app, codes[0])


def test_secret_is_sealed_and_codes_are_hashed(app: Flask) -> None:
    totp, codes = set_up(app)
    with app.app_context():
        stored = db.session.scalar(text("SELECT secret FROM second_factors"))
        assert totp.secret not in stored
        assert db.session.scalars(select(SecondFactor)).one().secret == totp.secret
        hashes = db.session.scalars(select(RecoveryCode.code_hash)).all()
        assert not {code.replace("-", "") for code in codes} & set(hashes)


def test_turning_on_takes_a_code_of_the_secret_offered(app: Flask) -> None:
    with app.test_request_context():
        identity.offer_totp(Realm.USER, 7)
        with pytest.raises(AppError) as refused:
            write_transaction(identity.turn_totp_on)(Realm.USER, 7, pyotp.TOTP(pyotp.random_base32()).now())
        assert refused.value.field == "code"
        assert not identity.second_factor_is_on(Realm.USER, 7)


def test_secret_in_force_is_not_offered_again(app: Flask) -> None:
    set_up(app)
    with app.test_request_context(), pytest.raises(AppError):
        identity.offer_totp(Realm.USER, 7)


def test_turned_off_nothing_is_left(app: Flask) -> None:
    _totp, codes = set_up(app)
    with app.test_request_context():
        assert write_transaction(identity.turn_totp_off)(Realm.USER, 7)
        assert not identity.second_factor_is_on(Realm.USER, 7)
        assert identity.recovery_codes_left(Realm.USER, 7) == 0
    assert not check(app, codes[0])


def test_of_two_uses_at_once_one_counts(each_app: Flask) -> None:
    with time_machine.travel(START, tick=False) as clock:
        totp, codes = set_up(each_app)
        clock.shift(30)
        code = totp.now()
        assert sorted(at_once(6, lambda: check(each_app, code))) == [False] * 5 + [True]
        assert sorted(at_once(6, lambda: check(each_app, codes[3]))) == [False] * 5 + [True]
