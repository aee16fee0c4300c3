"""Delivery: what the outbox holds is sent outside of any transaction, by any number of processes at once.

A mail is claimed by moving its next attempt into the future, in a transaction of its own, so that one of them
sends it, and any of them again if that one dies.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from dataclasses import dataclass
from typing import Any, Final, cast

from flask import Flask, current_app
from jinja2 import TemplateError
from sqlalchemy import ColumnElement, CursorResult, and_, delete, event, select, update
from sqlalchemy.orm import Session

from webapp import metrics
from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.lib import clock, redaction
from webapp.mail import outbox
from webapp.mail.models import MailMessage, MailState
from webapp.mail.senders import DeliveryError, Letter, send

log = logging.getLogger(__name__)

BACK_OFF_SECONDS: Final = (10, 30, 120, 600, 1800, 3600, 7200)
KEPT: Final = dt.timedelta(days=30)
SENDERS_AT_ONCE: Final = 4  # beside the recurring job
# The request that queued a mail is answered first, so that its time does not tell whether one goes out.
KICK_SECONDS: Final = 0.2
_CLAIM_SECONDS: Final = 60  # beyond the waits of a conversation with the server, of which there are about ten
_SENDERS: Final = "mail_senders"


@dataclass(frozen=True, slots=True)
class _Claim:
    """A mail and how often it has been tried: nobody else can try it without changing the number."""

    id: int
    attempts: int

    @property
    def still_holds(self) -> ColumnElement[bool]:
        return and_(MailMessage.id == self.id, MailMessage.attempts == self.attempts)


def init_app(app: Flask) -> None:
    """Send mail soon after the transaction that queued it has committed."""
    app.extensions[_SENDERS] = threading.BoundedSemaphore(SENDERS_AT_ONCE)
    factory = db.session.session_factory
    if not event.contains(factory, "after_commit", _after_commit):
        event.listen(factory, "after_commit", _after_commit)


def deliver_due() -> int:
    """Send what is due and return how many mails went out; nothing where mail is only shown, or there is no server."""
    if not current_settings().mail_server:
        return 0
    sent = 0
    while (due := _next_due()) is not None:
        claim = _claim(due)
        if claim is not None:
            sent += _deliver(claim)
    return sent


@write_transaction
def expire() -> None:
    """Give up on what nobody could use any more, and erase what is old."""
    now = clock.utc_now()
    late = MailMessage.expires_at < now
    db.session.execute(
        update(MailMessage)
        .where(MailMessage.state == MailState.QUEUED.value, late)
        .values(state=MailState.EXPIRED.value, sealed_context="")
    )
    db.session.execute(
        update(MailMessage).where(MailMessage.state == MailState.FAILED.value, late).values(sealed_context="")
    )
    db.session.execute(delete(MailMessage).where(MailMessage.state == MailState.WITHHELD.value, late))
    db.session.execute(delete(MailMessage).where(MailMessage.created_at < now - KEPT))


def _after_commit(session: Session) -> None:
    if session.info.pop(outbox.QUEUED, False) and current_settings().mail_server:
        app = cast("Any", current_app)._get_current_object()  # noqa: SLF001
        threading.Thread(target=_deliver_soon, args=(app,), name="mail", daemon=True).start()


def _deliver_soon(app: Flask) -> None:
    time.sleep(KICK_SECONDS)
    senders = cast("threading.BoundedSemaphore", app.extensions[_SENDERS])
    if not senders.acquire(blocking=False):
        return  # the recurring job will see it
    try:
        with app.app_context():
            deliver_due()
    except Exception:
        log.exception("mail not delivered")
    finally:
        senders.release()


def _next_due() -> _Claim | None:
    """Return the mail that waits longest, and how often it was tried when we looked."""
    now = clock.utc_now()
    query = (
        select(MailMessage.id, MailMessage.attempts)
        .where(
            MailMessage.state == MailState.QUEUED.value,
            MailMessage.next_attempt_at <= now,
            MailMessage.expires_at > now,
        )
        .order_by(MailMessage.next_attempt_at, MailMessage.id)
        .limit(1)
    )
    db.session.rollback()
    row = db.session.execute(query).first()
    return None if row is None else _Claim(*row)


@write_transaction
def _claim(seen: _Claim) -> _Claim | None:
    """Take the mail, unless somebody else did since we looked."""
    wait = dt.timedelta(seconds=_CLAIM_SECONDS + 10 * current_settings().mail_timeout_seconds)
    taken = db.session.execute(
        update(MailMessage)
        .where(seen.still_holds, MailMessage.state == MailState.QUEUED.value)
        .values(attempts=seen.attempts + 1, next_attempt_at=clock.utc_now() + wait)
    )
    return _Claim(seen.id, seen.attempts + 1) if cast("CursorResult[Any]", taken).rowcount == 1 else None


def _deliver(claim: _Claim) -> bool:
    letter = _letter(db.session.get_one(MailMessage, claim.id))
    db.session.remove()  # no connection is held while the mail server is waited for
    if letter is None:
        _note_failure(claim, "the mail cannot be written", permanent=True)
        return False
    try:
        send(letter)
    except DeliveryError as error:
        permanent = error.permanent or claim.attempts > len(BACK_OFF_SECONDS)
        _note_failure(claim, str(error), permanent=permanent)
        return False
    metrics.count("mails_total", result="sent")
    _note(claim, state=MailState.SENT.value, sent_at=clock.utc_now(), sealed_context="", last_error="")
    return True


def _letter(message: MailMessage) -> Letter | None:
    """Return the mail, or None where it cannot be written: one bad mail must not hold up the others."""
    if not outbox.unseal(message):
        return None
    try:
        return outbox.render(message)
    except (TemplateError, LookupError, TypeError, ValueError) as error:
        log.exception("mail cannot be written", extra={"mail": message.id, "error": type(error).__name__})
        return None


def _note_failure(claim: _Claim, error: str, *, permanent: bool) -> None:
    reason = redaction.redact(error)[:300]
    metrics.count("mails_total", result="failed" if permanent else "again")
    log.warning("mail not sent", extra={"mail": claim.id, "permanent": permanent, "error": reason})
    if permanent:
        _note(claim, state=MailState.FAILED.value, last_error=reason)
    else:
        wait = BACK_OFF_SECONDS[min(claim.attempts, len(BACK_OFF_SECONDS)) - 1]
        _note(claim, next_attempt_at=clock.utc_now() + dt.timedelta(seconds=wait), last_error=reason)


@write_transaction
def _note(claim: _Claim, **values: Any) -> None:
    """Write what came of an attempt, unless another process has taken the mail over since."""
    db.session.execute(update(MailMessage).where(claim.still_holds).values(**values))
