"""The SQL that something runs."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from sqlalchemy import event

from webapp.database import db


def statements_of(app: Flask, act: Callable[[], object]) -> list[str]:
    """Return the SQL that an act runs, without the values."""
    seen: list[str] = []

    def note(_connection, _cursor, statement: str, *_rest: object) -> None:
        seen.append(" ".join(statement.split()))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return seen
