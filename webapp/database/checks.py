"""The system check of the database: that it answers, that its tables are up to date, that its clock is ours."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from webapp.database.revisions import database_revision, head_revision
from webapp.extensions import db
from webapp.lib import checks, clock
from webapp.lib.checks import Finding

SLOW_MS = 100
CLOCK_SECONDS = 5


def init_app(app: Flask) -> None:
    """Register the checks."""
    checks.register(app, "database", _l("Database"), _database)
    checks.register(app, "migrations", _l("Tables"), _migrations)
    checks.register(app, "clock", _l("Clock"), _clock)


def _database() -> Finding:
    try:
        with db.engine.connect() as connection:
            began = time.perf_counter()
            connection.execute(text("SELECT 1"))
            milliseconds = round((time.perf_counter() - began) * 1000)
            dialect = connection.dialect
            version = ".".join(str(part) for part in (dialect.server_version_info or ())[:2])
            kind = "MariaDB" if getattr(dialect, "is_mariadb", False) else dialect.name
    except SQLAlchemyError:
        return Finding("bad", _("does not answer"), _("Start the database, and look at DATABASE_URL."))
    kind = {"sqlite": "SQLite", "mysql": "MySQL"}.get(kind, kind)
    value = f"{kind} {version} · {milliseconds} ms"
    if milliseconds > SLOW_MS:
        return Finding("warn", value, _("Answers slowly: look at its load and at the network between."))
    return Finding("ok", value)


def _migrations() -> Finding:
    try:
        current, wanted = database_revision(), head_revision()
    except SQLAlchemyError:
        return Finding("bad", _("unknown"), _("Start the database first."))
    if current == wanted:
        return Finding("ok", _("up to date (%(revision)s)", revision=current))
    value = _("at %(current)s, not %(wanted)s", current=current or _("nothing"), wanted=wanted)
    return Finding("bad", value, _("Run: flask db upgrade"))


def _clock() -> Finding:
    try:
        with db.engine.connect() as connection:
            there = connection.execute(text("SELECT CURRENT_TIMESTAMP")).scalar()
    except SQLAlchemyError:
        return Finding("bad", _("unknown"), _("Start the database first."))
    apart = abs((clock.utc_now().replace(tzinfo=None) - _naive(there)).total_seconds())
    if apart <= CLOCK_SECONDS:
        return Finding("ok", _("the database's and ours agree"))
    return Finding(
        "bad",
        _("%(seconds)s s apart", seconds=round(apart)),
        _("Let both machines keep the time by NTP; codes and sign-ins end too early or late."),
    )


def _naive(value: Any) -> dt.datetime:
    """Return the database's time: text from SQLite, and in UTC from both."""
    return dt.datetime.fromisoformat(value) if isinstance(value, str) else value
