"""The codes that were asked for, as administrators see them: never the code itself, which nobody can read."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, select

from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import Page, db, newest_first, write_transaction
from webapp.errors import Conflict, Invalid, NotFound
from webapp.identity.addresses import canonical
from webapp.identity.models import VerificationCode
from webapp.lib import clock

CODES_PER_PAGE: Final = 50


class CodeState(StrEnum):
    """Where a code stands."""

    OPEN = "open"
    USED = "used"
    DEAD = "dead"  # tried too often, replaced by a newer one, or cancelled
    EXPIRED = "expired"


def state_of(code: VerificationCode) -> CodeState:
    """Return where a code stands now."""
    if code.used_at is not None:
        return CodeState.USED
    if code.tries_left <= 0:
        return CodeState.DEAD
    return CodeState.OPEN if code.expires_at > clock.utc_now() else CodeState.EXPIRED


def list_codes(
    *, state: str = "", address: str = "", after: str | None = None, before: str | None = None
) -> Page[VerificationCode]:
    """Return a page of the codes of the last days, newest first."""
    query = select(VerificationCode)
    if state:
        query = query.where(_condition(state, clock.utc_now()))
    if address:
        query = query.where(VerificationCode.address == canonical(address))
    moment = VerificationCode.created_at
    return newest_first(query, moment, VerificationCode.id, after=after, before=before, limit=CODES_PER_PAGE)


@write_transaction
def cancel(code_id: str, *, actor: Any) -> None:
    """Let a code open nothing any more; raises Conflict for one that does not anyway."""
    query = select(VerificationCode).where(VerificationCode.public_id == code_id).with_for_update()
    code = db.session.scalar(query)
    if code is None:
        raise NotFound(_("There is no such code."))
    if state_of(code) is not CodeState.OPEN:
        raise Conflict(_("This code does not work any more anyway."), code="code_closed")
    code.tries_left = 0
    target = audit.Party("code", code.public_id, code.address)
    audit.record(Event.CODE_CANCELLED, actor=actor, target=target, after={"purpose": code.purpose})


def _condition(state: str, now: dt.datetime) -> ColumnElement[bool]:
    if state not in set(CodeState):
        sentence = _("This filter cannot be read. Choose from what is offered.")
        raise Invalid(sentence, field="state", code="filter_invalid")
    unused, tries = VerificationCode.used_at.is_(None), VerificationCode.tries_left
    late = VerificationCode.expires_at <= now
    return {
        CodeState.OPEN: and_(unused, tries > 0, VerificationCode.expires_at > now),
        CodeState.USED: VerificationCode.used_at.is_not(None),
        CodeState.DEAD: and_(unused, tries <= 0),
        CodeState.EXPIRED: and_(unused, tries > 0, late),
    }[CodeState(state)]
