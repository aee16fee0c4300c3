"""The outbox: mail is queued within a transaction; `delivery` sends it afterwards."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken
from flask import current_app
from flask_babel import force_locale
from sqlalchemy import delete, select

from webapp.config import current_settings
from webapp.database import db
from webapp.lib import clock
from webapp.mail.models import MailMessage, MailState
from webapp.mail.senders import Letter

LIFE: Final = dt.timedelta(days=3)  # of mail that names no end of its own
QUEUED: Final = "mail_queued"  # marks a database session whose commit should be followed by a delivery


def enqueue(
    *,
    to: str,
    template: str,
    locale: str,
    context: dict[str, Any],
    expires_at: dt.datetime | None = None,
    withheld: bool = False,
) -> None:
    """Queue a mail inside the caller's transaction; it is sent soon after that commits.

    `template` names `mail/<template>.html`, `.txt` and `.subject.txt`. Raises ValueError unless `to` is exactly one
    address. A withheld mail costs the same work, keeps no address and is never sent.
    """
    check_is_one_address(to)
    now = clock.utc_now()
    message = MailMessage(
        to_address="" if withheld else to,
        template=template,
        locale=locale,
        sealed_context=_cipher().encrypt(json.dumps(context).encode()).decode(),
        state=(MailState.WITHHELD if withheld else MailState.QUEUED).value,
        created_at=now,
        next_attempt_at=now,
        expires_at=expires_at or now + LIFE,
    )
    db.session.add(message)
    db.session.info[QUEUED] = True


def check_is_one_address(to: str) -> None:
    """Raise ValueError for anything that could be taken for more or less than one address."""
    if any(sign in to for sign in "\r\n,;<> ") or to.count("@") != 1:
        raise ValueError("mail goes to exactly one address")


def erase_to(address: str) -> None:
    """Delete all mail to an address inside the caller's transaction."""
    db.session.execute(delete(MailMessage).where(MailMessage.to_address == address))


def newest(limit: int) -> list[MailMessage]:
    """Return the newest mails that can still be read."""
    query = select(MailMessage).where(MailMessage.to_address != "", MailMessage.sealed_context != "")
    return list(db.session.scalars(query.order_by(MailMessage.id.desc()).limit(limit)))


def find(mail_id: str) -> MailMessage | None:
    """Return a mail that can still be read, by its public id."""
    message = db.session.scalar(select(MailMessage).where(MailMessage.public_id == mail_id))
    return message if message is not None and message.to_address and unseal(message) else None


def render(message: MailMessage) -> Letter:
    """Return the mail in its receiver's language."""
    settings = current_settings()
    host = urlsplit(settings.base_url).hostname or "localhost"
    context = {"to": message.to_address, "host": host, "site_name": settings.site_name, **unseal(message)}
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


def _cipher() -> Fernet:
    """Return the cipher of this deployment's outbox; its key comes from the secret, not from the database."""
    secret = current_settings().secret_key.get_secret_value().encode()
    key = hashlib.blake2b(secret, digest_size=32, person=b"mail-outbox").digest()
    return Fernet(base64.urlsafe_b64encode(key))
