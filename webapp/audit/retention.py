"""Retention: the oldest entries are removed after a time, from the beginning of the chain, which stays verifiable."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Final

from sqlalchemy import delete

from webapp.audit import chain, recording
from webapp.audit.guard import UPKEEP
from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.lib import clock

log = logging.getLogger(__name__)

BATCH: Final = 1000
_TABLE: Final = AuditEntry.metadata.tables[AuditEntry.__tablename__]


def prune() -> int:
    """Remove sealed entries that are older than the settings keep them, and return how many.

    Each piece of it leaves an entry itself. Stops before an entry that does not fit the chain: that one is evidence.
    """
    days = current_settings().audit_retention_days
    if not days:
        return 0
    oldest, removed = clock.utc_now() - dt.timedelta(days=days), 0
    try:
        while pruned := _prune_batch(oldest):
            removed += pruned
    except chain.BrokenChainError as error:
        log.error("audit log not pruned", extra={"error": str(error)})
    return removed


@write_transaction
def _prune_batch(oldest: dt.datetime) -> int:
    first = chain.chained_rows(0, 1)
    if not first or first[0].created_at >= oldest:
        return 0
    head = chain.locked()
    before, seal = head.first_number, head.first_seal
    number = before
    for row in chain.chained_rows(before, BATCH, head.last_number):
        right = chain.seal(row, number + 1, seal)
        if row.seal_number != number + 1 or not chain.same(row.seal, right):
            log.error("audit log not pruned", extra={"error": f"no. {number + 1} does not fit"})
            break
        if row.created_at >= oldest:
            break
        number, seal = number + 1, right
    if number == before:
        return 0
    head.first_number, head.first_seal = number, seal
    chain.sign(head)
    doomed = delete(_TABLE).where(_TABLE.c.seal_number > before, _TABLE.c.seal_number <= number)
    db.session.connection().execute(doomed, execution_options=UPKEEP)
    recording.record(
        Event.AUDIT_PRUNED,
        actor=recording.SYSTEM,
        after={"entries": number - before, "up_to_number": number, "older_than": oldest.isoformat()},
    )
    return number - before
