"""Sealing: entries are chained together in the background, so that those who write them never wait for each other."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, update
from sqlalchemy.exc import IntegrityError

from webapp.audit import chain
from webapp.audit.guard import UPKEEP
from webapp.audit.models import AuditEntry
from webapp.database import db, write_transaction

log = logging.getLogger(__name__)

BATCH: Final = 200  # a write transaction of a few milliseconds
_TABLE: Final = AuditEntry.metadata.tables[AuditEntry.__tablename__]


@dataclass(frozen=True, slots=True)
class _Batch:
    seen: int
    sealed: int
    last_id: int


def seal_new() -> int:
    """Seal all entries that are not yet, and return how many; any number of processes may do so at once.

    An entry without the right mark was not written by the program, or was changed since: it is passed over, for
    `verify` to name it.
    """
    sealed, last_id = 0, 0
    try:
        while _some_wait(last_id) and (batch := _seal_batch(last_id)).seen:
            sealed, last_id = sealed + batch.sealed, batch.last_id
    except chain.BrokenChainError as error:
        log.error("audit log not sealed", extra={"error": str(error)})
    except IntegrityError:
        log.info("another process began the chain of the audit log")
    return sealed


def _some_wait(after: int) -> bool:
    """Look without taking the lock of writers."""
    db.session.rollback()
    return bool(chain.unsealed_rows(after, 1))


@write_transaction
def _seal_batch(after: int) -> _Batch:
    head = chain.locked()
    rows = chain.unsealed_rows(after, BATCH)
    values: list[dict[str, Any]] = []
    for row in rows:
        if chain.same(row.seal, chain.mark(row)):
            head.last_number += 1
            head.last_seal = chain.seal(row, head.last_number, head.last_seal)
            values.append({"key": row.id, "number": head.last_number, "value": head.last_seal})
    if values:
        chain.sign(head)
        statement = update(_TABLE).where(_TABLE.c.id == bindparam("key"))
        statement = statement.values(seal_number=bindparam("number"), seal=bindparam("value"))
        db.session.connection().execute(statement, values, execution_options=UPKEEP)
    return _Batch(len(rows), len(values), rows[-1].id if rows else after)
