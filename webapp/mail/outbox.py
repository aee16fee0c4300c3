"""The outbox: mail is queued within a transaction, and sent after it, outside of any.

Several processes may deliver at once: a mail is claimed by moving its next attempt into the future, in a
transaction of its own, so that each is sent by one of them, and again by anybody if that one dies.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import logging
import threading
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken
from flask import Flask, current_app
from flask_babel import force_locale
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.lib import clock, redaction
from webapp.mail.models import MailMessage, MailState
from webapp.mail.senders import DeliveryError, Letter, send

log = logging.getLogger(__name__)

BATCH: Final = 20
CLAIM: Final = dt.timedelta(seconds=120)
BACK_OFF_SECONDS: Final = (10, 30, 120, 600, 1800, 3600, 7200)
KEPT: Final = dt.timedelta(days=30)
_KICK: Final = "mail_queued"


@dataclass(frozen=True, slots=True)
class _Claim:
    id: int
    attempts: int


def enqueue(
    *, to: str, template: str, locale: str, context: dict[str, Any], expires_at: dt.datetime | None = None
) -> None:
    """Queue a mail inside the caller's transaction; it is sent soon after that commits.

    `template` names `mail/<template>.html`, `.txt` and `.subject.txt`. Raises ValueError unless `to` is exactly one address.
    """
    if any(sign in to for sign in "\r\n,;<> ") or to.count("@") != 1:
        raise ValueError("mail goes to exactly one address")
    db.session.add(
        MailMessage(
            to_address=to,
            template=template,
            locale=locale,
            sealed_context=_cipher().encrypt(json.dumps(context).encode()).decode(),
            expires_at=expires_at,
        )
    )
    db.session.info[_KICK] = True


def render(message: MailMessage) -> Letter:
    """Return the mail in its receiver's language."""
    host = urlsplit(current_settings().base_url).hostname or "localhost"
    site = current_settings().site_name
    context = {"to": message.to_address, "host": host, "site_name": site, **unseal(message)}
    with force_locale(message.locale):
        subject, text, html = (
            current_app.jinja_env.get_template(f"mail/{message.template}.{part}").render(context)
            for part in ("subject.txt", "txt", "html")
        )
    return Letter(to=message.to_address, subject=" ".join(subject.split()), text=text, html=html)


def unseal(message: MailMessage) -> dict[str, Any]:
    """Return what the template takes; empty when it has been erased or the secret was changed."""
    try:
        context: dict[str, Any] = json.loads(_cipher().decrypt(message.sealed_context.encode()))
    except (InvalidToken, ValueError):
        return {}
    return context


def deliver_due() -> int:
    """Send what is due and return how many mails went out; nothing where mail is only shown."""
    if current_settings().shows_mail:
        return 0
    sent = 0
    for claim in _claim_due():
        message = db.session.get(MailMessage, claim.id)
        if message is None:
            continue
        letter = render(message)
        db.session.remove()
        sent += _try_to_send(claim, letter)
    return sent


@write_transaction
def expire() -> None:
    """Give up on what nobody could use any more, and erase what is old."""
    now = clock.utc_now()
    db.session.execute(
        update(MailMessage)
        .where(MailMessage.state == MailState.QUEUED.value, MailMessage.expires_at < now)
        .values(state=MailState.EXPIRED.value, sealed_context="")
    )
    for old in db.session.scalars(select(MailMessage).where(MailMessage.created_at < now - KEPT).limit(500)):
        db.session.delete(old)


def init_app(app: Flask) -> None:
    """Send mail soon after the transaction that queued it has committed."""

    def after_commit(session: Session) -> None:
        if session.info.pop(_KICK, False) and not app.extensions["settings"].shows_mail:
            threading.Thread(target=_deliver_soon, args=(app,), name="mail", daemon=True).start()

    with app.app_context():
        event.listen(db.session.session_factory, "after_commit", after_commit)


def _deliver_soon(app: Flask) -> None:
    with app.app_context():
        try:
            deliver_due()
        except Exception:
            log.exception("mail not delivered")
        finally:
            db.session.remove()


@write_transaction
def _claim_due() -> list[_Claim]:
    now = clock.utc_now()
    due = db.session.scalars(
        select(MailMessage)
        .where(MailMessage.state == MailState.QUEUED.value, MailMessage.next_attempt_at <= now)
        .order_by(MailMessage.next_attempt_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    claims = []
    for message in due:
        message.attempts += 1
        message.next_attempt_at = now + CLAIM
        claims.append(_Claim(message.id, message.attempts))
    return claims


def _try_to_send(claim: _Claim, letter: Letter) -> bool:
    try:
        send(letter)
    except DeliveryError as error:
        permanent = error.permanent or claim.attempts > len(BACK_OFF_SECONDS)
        _note_failure(claim, str(error), permanent=permanent)
        log.warning("mail not sent", extra={"mail": claim.id, "permanent": permanent, "error": str(error)})
        return False
    _note_sent(claim)
    return True


@write_transaction
def _note_sent(claim: _Claim) -> None:
    db.session.execute(
        update(MailMessage)
        .where(MailMessage.id == claim.id)
        .values(state=MailState.SENT.value, sent_at=clock.utc_now(), sealed_context="", last_error="")
    )


@write_transaction
def _note_failure(claim: _Claim, error: str, *, permanent: bool) -> None:
    values: dict[str, Any] = {"last_error": redaction.redact(error)[:300]}
    if permanent:
        values |= {"state": MailState.FAILED.value, "sealed_context": ""}
    else:
        wait = BACK_OFF_SECONDS[min(claim.attempts, len(BACK_OFF_SECONDS)) - 1]
        values["next_attempt_at"] = clock.utc_now() + dt.timedelta(seconds=wait)
    db.session.execute(update(MailMessage).where(MailMessage.id == claim.id).values(**values))


def _cipher() -> Fernet:
    """Return the cipher of this deployment's outbox; its key comes from the secret, not from the database."""
    secret = current_settings().secret_key.get_secret_value().encode()
    key = hashlib.blake2b(secret, digest_size=32, person=b"mail-outbox").digest()
    return Fernet(base64.urlsafe_b64encode(key))
