"""Verifying: the chain is followed from its beginning to its end, and the first entry that does not fit is named."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, select

from webapp.audit import chain
from webapp.audit.models import AuditChain, AuditEntry
from webapp.database import db
from webapp.lib import clock

BATCH: Final = 500


class FaultKind(StrEnum):
    """What can be wrong."""

    CHANGED = "changed"  # what it says, or its place, is not what was sealed
    REMOVED = "removed"
    CUT_OFF = "cut_off"  # the newest ones are gone
    FOREIGN = "foreign"  # not written by the program, or changed before it was sealed
    CHAIN = "chain"  # the row that says where the chain begins and ends


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry that does not fit: its number in the chain, and the entry itself unless it is gone."""

    kind: FaultKind
    number: int | None = None
    public_id: str | None = None
    created_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `next_number` is where to go on when there was no time for the whole chain."""

    checked: int = 0
    first_number: int = 0
    last_number: int = 0
    last_seal: str = ""
    unsealed: int = 0
    fault: Fault | None = None
    next_number: int | None = None

    @property
    def holds(self) -> bool:
        """Whether all that was looked at is as it was written."""
        return self.fault is None


def verify(*, start: int | None = None, seconds: float | None = None) -> Verdict:
    """Follow the chain, from its beginning or from a number, and return the verdict; for so long at most.

    Reads in pieces of bounded size. An entry that retention removes meanwhile is no fault.
    """
    deadline = None if seconds is None else clock.monotonic() + seconds
    while True:
        began = _head()
        verdict = _verify(began, start, deadline)
        ended = _head()
        moved = began is not None and ended is not None and began.first_number != ended.first_number
        if verdict.holds or not moved:
            return verdict


def _head() -> AuditChain | None:
    db.session.rollback()
    head = db.session.get(AuditChain, 1, populate_existing=True)
    if head is not None:
        db.session.expunge(head)
    return head


def _verify(head: AuditChain | None, start: int | None, deadline: float | None) -> Verdict:
    if head is None:
        sealed = select(AuditEntry.public_id).where(AuditEntry.seal_number.is_not(None)).limit(1)
        if db.session.scalar(sealed) is not None:
            return Verdict(fault=Fault(FaultKind.CHAIN))
        return _marks(Verdict())
    verdict = Verdict(
        first_number=head.first_number + 1, last_number=head.last_number, last_seal=head.last_seal
    )
    if not chain.is_signed(head):
        return replace(verdict, fault=Fault(FaultKind.CHAIN))
    number, seal = head.first_number, head.first_seal
    if start is not None and head.first_number < start <= head.last_number:
        number, seal = start - 1, _seal_of(start - 1) or head.first_seal
    verdict = _follow(verdict, head, number, seal, deadline)
    if not verdict.holds or verdict.next_number is not None:
        return verdict
    return _marks(verdict)


def _follow(verdict: Verdict, head: AuditChain, number: int, seal: str, deadline: float | None) -> Verdict:
    """Check each entry against the one before it, up to the end of the chain."""
    checked = 0
    while rows := chain.chained_rows(number, BATCH, head.last_number):
        for row in rows:
            if row.seal_number != number + 1:
                return replace(verdict, checked=checked, fault=Fault(FaultKind.REMOVED, number + 1))
            number += 1
            seal = chain.seal(row, number, seal)
            if not chain.same(row.seal, seal):
                return replace(verdict, checked=checked, fault=_fault(FaultKind.CHANGED, row))
            checked += 1
        if deadline is not None and clock.monotonic() > deadline and number < head.last_number:
            return replace(verdict, checked=checked, next_number=number + 1)
        time.sleep(0)  # lets others of this process go on
    verdict = replace(verdict, checked=checked)
    if number != head.last_number:
        return replace(verdict, fault=Fault(FaultKind.CUT_OFF, number + 1))
    if not chain.same(head.last_seal, seal):
        return replace(verdict, fault=Fault(FaultKind.CHAIN))
    return _beyond(verdict)


def _beyond(verdict: Verdict) -> Verdict:
    """Look for entries that somebody put behind the end of the chain."""
    end = select(func.coalesce(func.max(AuditChain.last_number), 0)).scalar_subquery()
    query = select(*chain.COLUMNS).where(AuditEntry.seal_number > end)
    row = db.session.execute(query.order_by(AuditEntry.seal_number).limit(1)).first()
    return verdict if row is None else replace(verdict, fault=_fault(FaultKind.FOREIGN, row))


def _marks(verdict: Verdict) -> Verdict:
    """Check the entries that wait for their seal."""
    unsealed, last_id = 0, 0
    while rows := chain.unsealed_rows(last_id, BATCH):
        for row in rows:
            if not chain.same(row.seal, chain.mark(row)):
                return replace(verdict, unsealed=unsealed, fault=_fault(FaultKind.FOREIGN, row))
            unsealed += 1
        last_id = rows[-1].id
        time.sleep(0)
    return replace(verdict, unsealed=unsealed)


def _seal_of(number: int) -> str | None:
    return db.session.scalar(select(AuditEntry.seal).where(AuditEntry.seal_number == number))


def _fault(kind: FaultKind, row: Any) -> Fault:
    return Fault(kind, row.seal_number, row.public_id, row.created_at)
