"""Sending by SMTP: verified TLS and time-outs, which Flask-Mail itself does not have."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from dataclasses import dataclass
from email.utils import make_msgid, parseaddr
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask_mail import BadHeaderError, Connection, Message

from webapp.config import Settings, current_settings
from webapp.extensions import mail


class DeliveryError(Exception):
    """A mail was not sent; `permanent` says that trying again is of no use."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to be sent."""

    to: str
    subject: str
    text: str
    html: str


class VerifiedConnection(Connection):
    """A connection that checks the server's certificate and does not wait for ever."""

    def configure_host(self) -> smtplib.SMTP:
        """Connect, encrypt, sign in."""
        settings = current_settings()
        where = (settings.mail_server, settings.mail_port, _own_host())
        seconds = settings.mail_timeout_seconds
        if settings.mail_use_ssl:
            return self._prepared(
                smtplib.SMTP_SSL(*where, timeout=seconds, context=ssl.create_default_context())
            )
        return self._prepared(smtplib.SMTP(*where, timeout=seconds))

    def _prepared(self, host: smtplib.SMTP) -> smtplib.SMTP:
        settings = current_settings()
        try:
            if settings.mail_use_tls:
                host.starttls(context=ssl.create_default_context())
            if settings.mail_username:
                host.login(settings.mail_username, settings.mail_password.get_secret_value())
        except BaseException:
            host.close()
            raise
        return host

    def __exit__(self, *_raised: object) -> None:
        """Say goodbye; a server that accepted the mail and then hangs up has accepted it all the same."""
        if self.host is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self.host.quit()
            self.host.close()


def init_app(app: Flask, settings: Settings) -> None:
    """Bind Flask-Mail."""
    app.config.update(
        MAIL_SERVER=settings.mail_server,
        MAIL_PORT=settings.mail_port,
        MAIL_USE_TLS=settings.mail_use_tls,
        MAIL_USE_SSL=settings.mail_use_ssl,
        MAIL_DEFAULT_SENDER=settings.mail_sender,
        MAIL_SUPPRESS_SEND=False,
    )
    mail.init_app(app)


def send(letter: Letter) -> None:
    """Send a letter or raise DeliveryError; call it outside of any transaction."""
    message = Message(
        subject=letter.subject,
        recipients=[letter.to],
        body=letter.text,
        html=letter.html,
        sender=(current_settings().site_name, parseaddr(current_settings().mail_sender)[1]),
        extra_headers={"Auto-Submitted": "auto-generated"},
    )
    message.msgId = make_msgid(domain=_own_host())  # else it would tell the name of this machine
    try:
        with VerifiedConnection(mail) as connection:
            connection.send(message)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as error:
        raise DeliveryError(_reason(error), permanent=_is_permanent(error)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryError(f"{type(error).__name__}: {error}", permanent=False) from error
    except (BadHeaderError, ValueError) as error:
        raise DeliveryError(f"{type(error).__name__}: {error}", permanent=True) from error


def _own_host() -> str:
    return urlsplit(current_settings().base_url).hostname or "localhost"


def _codes(error: Any) -> list[int]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return [code for code, _text in error.recipients.values()]
    return [error.smtp_code]


def _is_permanent(error: Any) -> bool:
    """Tell by RFC 5321, section 4.2.1: 5xx will not get better; a refused sign-in may, once it is mended."""
    return not isinstance(error, smtplib.SMTPAuthenticationError) and all(
        code >= 500 for code in _codes(error)
    )


def _reason(error: Any) -> str:
    return f"SMTP {', '.join(str(code) for code in _codes(error))}"
