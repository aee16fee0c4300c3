"""A hundred thousand users, the same ones on each database: some suspended, some unverified, some never seen."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Final

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import insert, text

from tests.conftest import make_settings
from tests.people import add_admin
from webapp.accounts.administration.filters import UserFilter
from webapp.accounts.administration.listing import USERS_PER_PAGE
from webapp.accounts.models import User, UserWord
from webapp.accounts.rules import NEVER
from webapp.accounts.words import words_of
from webapp.app import create_app
from webapp.database import sorted_rows
from webapp.extensions import db
from webapp.lib import clock, ids

ADMIN: Final = "bench.admin"
SOUGHT: Final = "zhurong"  # the first name of one user in 997
_FIRST: Final = ("Lin", "Wei", "Ada", "Jana", "Chidi", "Mei", "Sofia", "Arjun", "Noor", "Elif", "Tomas")
_LAST: Final = ("Chen", "Okafor", "Novak", "Garcia", "Sato", "Larsen", "Kaya", "Rossi", "Silva", "Wang")
_BATCH: Final = 5_000
_MINUTES_APART: Final = 5


def fill(folder: Path, users: int, database_url: str = "") -> str:
    """Make an instance with so many users and an administrator; return the cursor before its last page."""
    folder.mkdir()
    chosen = {"database_url": database_url} if database_url else {}
    app = create_app(make_settings(folder, log_level="WARNING", **chosen))
    with app.app_context():
        upgrade()
        for start in range(0, users, _BATCH):
            _add(range(start, min(users, start + _BATCH)))
        for table in (
            "users",
            "user_words",
        ):  # what the databases do by themselves after such a load, sooner or later
            db.session.execute(text(f"ANALYZE {'TABLE ' if database_url else ''}{table}"))
        db.session.commit()
    add_admin(app, ADMIN)
    return _last_cursor(app, users)


def _add(numbers: range) -> None:
    people = [_user(number, clock.utc_now()) for number in numbers]
    db.session.execute(insert(User), people)
    words = [
        {"word": word, "user_id": each["id"]}
        for each in people
        for word in words_of(each["display_name"], each["username"], each["email"])
    ]
    db.session.execute(insert(UserWord), words)
    db.session.commit()


def _user(number: int, now: dt.datetime) -> dict[str, Any]:
    first = SOUGHT.capitalize() if number % 997 == 0 else _FIRST[number % len(_FIRST)]
    last = _LAST[number // len(_FIRST) % len(_LAST)]
    username = f"{first}.{number:06}".lower()
    seen = now - dt.timedelta(minutes=_MINUTES_APART * (number * 7919 % 100_000))
    return {
        "id": number + 1,
        "public_id": ids.public_id(),
        "email": f"{username}@example.com",
        "email_canonical": f"{username}@example.com",
        "username": username,
        "username_canonical": username,
        "display_name": f"{first} {last}",
        "sort_name": f"{first} {last}".lower(),
        "password_hash": "none",
        "state": "suspended" if number % 50 == 0 else "active",
        "created_at": now - dt.timedelta(minutes=number),
        "verified_at": None if number % 10 == 0 else now,
        "last_seen_at": NEVER if number % 20 == 0 else seen,
    }


def _last_cursor(app: Flask, users: int) -> str:
    """Return what leads to the page with the last users of the list."""
    with app.app_context():
        order = UserFilter().order
        page = sorted_rows(db.select(User.id, order.column), order, limit=users - USERS_PER_PAGE)
        db.session.remove()
        db.engine.dispose()
        assert page.next_cursor
        return page.next_cursor
