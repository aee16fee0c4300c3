"""The audit log is append-only: through the application nothing of it can be changed or removed.

Sealing and retention, which alone may, say so in the options of their statements.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Delete, Engine, Update, event

from webapp.audit.models import AuditEntry

UPKEEP: Final = {"audit_upkeep": True}


class AppendOnlyError(Exception):
    """Something tried to change the past."""


def init_engine(engine: Engine) -> None:
    """Look at every statement of this engine, whoever sends it."""
    event.listen(engine, "before_execute", _refuse_changes)


def _refuse_changes(
    _connection: Connection, statement: Any, _many: Any, _one: Any, options: dict[str, Any]
) -> None:
    if not isinstance(statement, Update | Delete) or options.get("audit_upkeep"):
        return
    if getattr(statement.table, "name", "") == AuditEntry.__tablename__:
        raise AppendOnlyError("entries of the audit log are never changed or removed")
