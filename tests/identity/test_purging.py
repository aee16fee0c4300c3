"""Recurring work keeps what identity stores bounded."""

from __future__ import annotations

import datetime as dt

import time_machine
from flask import Flask
from sqlalchemy import func, select

from tests.pages import PageClient
from tests.people import Person, sign_in
from webapp.database import db
from webapp.identity import jobs
from webapp.identity.models import KnownDevice, LoginSession, OneTimeLink, SignIn, Throttle
from webapp.identity.rules import SIGN_INS_KEPT_EACH, Realm
from webapp.lib import clock

TABLES = (LoginSession, SignIn, Throttle, OneTimeLink, KnownDevice)


def purge(app: Flask) -> None:
    with app.app_context():
        for _name, job, _seconds in jobs.JOBS:
            job()


def counts(app: Flask) -> dict[str, int]:
    with app.app_context():
        return {
            table.__name__: db.session.scalar(select(func.count()).select_from(table)) or 0
            for table in TABLES
        }


def test_nothing_in_use_goes_and_all_goes_in_time(app: Flask, user: Person) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC)) as traveller:
        sign_in(app, user)
        sign_in(app, user)  # a second device: a mail with a link
        stranger: PageClient = app.test_client()  # type: ignore[assignment]
        stranger.submit("/login", {"login": "nobody", "password": "not this one"})
        before = counts(app)
        assert min(before.values()) > 0
        purge(app)
        assert counts(app) == before
        traveller.shift(dt.timedelta(days=8))
        purge(app)
        assert counts(app)["SignIn"] == before["SignIn"] - 1, "attempts on nobody go first"
        traveller.shift(dt.timedelta(days=83))
        purge(app)
        assert counts(app)["SignIn"] == 0
        traveller.shift(dt.timedelta(days=310))
        purge(app)
        assert set(counts(app).values()) == {0}


def test_history_of_one_account_is_bounded_by_number(app: Flask, user: Person) -> None:
    now = clock.utc_now()
    with app.app_context():
        for number in range(SIGN_INS_KEPT_EACH + 30):
            moment = now - dt.timedelta(minutes=number)
            db.session.add(
                SignIn(
                    realm=Realm.USER.value, subject_id=user.id, outcome="wrong_password", created_at=moment
                )
            )
        db.session.commit()
    purge(app)
    with app.app_context():
        kept = list(db.session.scalars(select(SignIn.created_at)))
        assert len(kept) == SIGN_INS_KEPT_EACH
        assert min(kept) == now - dt.timedelta(minutes=SIGN_INS_KEPT_EACH - 1)
