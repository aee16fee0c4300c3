"""A test mail: sent at once, with what became of it told in kinds that people can act on."""

from __future__ import annotations

import smtplib
import ssl
from enum import StrEnum
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import force_locale

from webapp.config import current_settings
from webapp.database import write_transaction
from webapp.mail import outbox
from webapp.mail.senders import DeliveryError, Letter, send


class Outcome(StrEnum):
    """What became of a test mail."""

    SENT = "sent"
    SHOWN = "shown"  # there is no server, so it lies on the developer's page
    NOT_REACHED = "not_reached"
    TOO_SLOW = "too_slow"
    NOT_ENCRYPTED = "not_encrypted"
    SIGN_IN_REFUSED = "sign_in_refused"
    REFUSED = "refused"
    FAILED = "failed"


def send_test(*, to: str, locale: str) -> Outcome:
    """Send a mail to one address now, with the settings in force; call it outside of any transaction."""
    outbox.check_is_one_address(to)
    settings = current_settings()
    if settings.shows_mail:
        _queue(to, locale)
        return Outcome.SHOWN
    if not settings.mail_server:
        return Outcome.NOT_REACHED
    context = {
        "to": to,
        "host": urlsplit(settings.base_url).hostname or "localhost",
        "site_name": settings.site_name,
    }
    with force_locale(locale):
        subject, text, html = (
            current_app.jinja_env.get_template(f"mail/test.{part}").render(context)
            for part in ("subject.txt", "txt", "html")
        )
    try:
        send(Letter(to=to, subject=" ".join(subject.split()), text=text, html=html))
    except DeliveryError as error:
        return _kind_of(error.__cause__)
    return Outcome.SENT


@write_transaction
def _queue(to: str, locale: str) -> None:
    outbox.enqueue(to=to, template="test", locale=locale, context={"test": True})


def _kind_of(cause: BaseException | None) -> Outcome:
    match cause:
        case smtplib.SMTPAuthenticationError():
            return Outcome.SIGN_IN_REFUSED
        case smtplib.SMTPConnectError() | smtplib.SMTPServerDisconnected():
            return Outcome.NOT_REACHED
        case smtplib.SMTPNotSupportedError() | ssl.SSLError():
            return Outcome.NOT_ENCRYPTED
        case smtplib.SMTPRecipientsRefused() | smtplib.SMTPResponseException():
            return Outcome.REFUSED
        case TimeoutError():
            return Outcome.TOO_SLOW
        case OSError() if not isinstance(cause, smtplib.SMTPException):
            return Outcome.NOT_REACHED
        case _:
            return Outcome.FAILED
