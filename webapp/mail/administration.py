"""The outbox as administrators see it: where each mail stands, never what is in it.

`witness` is called with the mail inside the transaction that changes it, for the entry in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import select

from webapp.database import Page, db, newest_first, write_transaction
from webapp.errors import Conflict, Invalid, NotFound
from webapp.lib import clock
from webapp.mail import outbox
from webapp.mail.models import MailMessage, MailState

MAILS_PER_PAGE: Final = 50
SHOWN: Final = tuple(state for state in MailState if state is not MailState.WITHHELD)
_OPEN: Final = (MailState.QUEUED.value, MailState.FAILED.value)


def list_mails(
    *, state: str = "", address: str = "", after: str | None = None, before: str | None = None
) -> Page[MailMessage]:
    """Return a page of the outbox, newest first; withheld mail, which goes to nobody, is left out."""
    query = select(MailMessage).where(MailMessage.state != MailState.WITHHELD.value)
    if state:
        if state not in SHOWN:
            sentence = _("This filter cannot be read. Choose from what is offered.")
            raise Invalid(sentence, field="state", code="filter_invalid")
        query = query.where(MailMessage.state == state)
    if address:
        query = query.where(MailMessage.to_address == address)
    moment = MailMessage.created_at
    return newest_first(query, moment, MailMessage.id, after=after, before=before, limit=MAILS_PER_PAGE)


def newest_to(address: str, limit: int) -> list[MailMessage]:
    """Return the newest mails to an address."""
    query = select(MailMessage).where(
        MailMessage.to_address == address, MailMessage.state != MailState.WITHHELD.value
    )
    return list(
        db.session.scalars(query.order_by(MailMessage.created_at.desc(), MailMessage.id.desc()).limit(limit))
    )


def can_retry(mail: MailMessage) -> bool:
    """Tell whether the mail can be sent anew: it was not sent, and what is in it is still known and of use."""
    in_time = mail.expires_at is None or mail.expires_at > clock.utc_now()
    return mail.state in _OPEN and mail.attempts > 0 and bool(mail.sealed_context) and in_time


def can_cancel(mail: MailMessage) -> bool:
    """Tell whether the mail has not gone out yet."""
    return mail.state in _OPEN


@write_transaction
def retry(mail_id: str, witness: Callable[[MailMessage], None]) -> MailMessage:
    """Send a mail again at once; raises Conflict for one that went out, or whose content is gone."""
    mail = _get(mail_id)
    if not can_retry(mail):
        sentence = _(
            "This mail cannot be sent again: it went out, or its content is erased. Start again from its cause."
        )
        raise Conflict(sentence, code="mail_closed")
    mail.state, mail.next_attempt_at = MailState.QUEUED.value, clock.utc_now()
    db.session.info[outbox.QUEUED] = True
    witness(mail)
    return mail


@write_transaction
def cancel(mail_id: str, witness: Callable[[MailMessage], None]) -> MailMessage:
    """Let a mail not go out, and erase its content; raises Conflict for one that did."""
    mail = _get(mail_id)
    if not can_cancel(mail):
        raise Conflict(_("This mail is not waiting any more."), code="mail_closed")
    mail.state, mail.sealed_context = MailState.CANCELLED.value, ""
    witness(mail)
    return mail


def _get(mail_id: str) -> MailMessage:
    query = select(MailMessage).where(MailMessage.public_id == mail_id).with_for_update()
    mail = db.session.scalar(query)
    if mail is None or mail.state == MailState.WITHHELD.value:
        raise NotFound(_("There is no such mail."))
    return mail
