"""An audit log for tests: entries, SQL behind the program's back, and what verifying finds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from webapp.audit import sealing, verifying
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.audit.verifying import Verdict
from webapp.database import db, write_transaction


@write_transaction
def write(count: int, *, event: Event = Event.SETTING_CHANGED, **kwargs: Any) -> None:
    """Record so many entries in one transaction; needs an application context."""
    for number in range(count):
        audit.record(event, **{"actor": audit.SYSTEM, "after": {"number": number}, **kwargs})


def sealed(count: int) -> None:
    """Record and seal so many entries."""
    write(count)
    sealing.seal_new()


def sql(statement: str, **values: Any) -> None:
    """Change the database as somebody would who has its password."""
    db.session.rollback()
    with db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            statement = statement.replace("`", '"')
        connection.execute(text(statement), values)


def found() -> tuple[str | None, int | None]:
    """Return the kind of the first fault and the number of the entry it names."""
    verdict: Verdict = verifying.verify()
    return (verdict.fault.kind.value, verdict.fault.number) if verdict.fault else (None, None)
