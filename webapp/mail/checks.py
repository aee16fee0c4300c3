"""The system check of mail."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.exc import SQLAlchemyError

from webapp.config import current_settings
from webapp.lib import checks
from webapp.lib.checks import Finding
from webapp.mail import figures
from webapp.metrics import Reading, register_reading


def init_app(app: Flask) -> None:
    """Register the check."""
    checks.register(app, "mail", _l("Mail"), _mail)
    register_reading(app, _readings)


def _readings() -> Iterator[Reading]:
    outbox = figures.outbox()
    yield Reading("mails_waiting", outbox.waiting)
    yield Reading("mails_stuck", outbox.stuck)
    yield Reading("mails_failed", outbox.failed)


def _mail() -> Finding:
    settings = current_settings()
    if not settings.mail_server:
        if settings.shows_mail:
            return Finding("idle", _("shown at /dev/mail"))
        return Finding("warn", _("no mail server"), _("Set a mail server, or nobody gets codes."))
    try:
        outbox = figures.outbox()
    except SQLAlchemyError:
        return Finding("bad", _("unknown"), _("Start the database first."))
    if outbox.stuck or outbox.failed:
        value = _("%(waiting)s waiting, %(failed)s failed", waiting=outbox.waiting, failed=outbox.failed)
        return Finding(
            "warn", value, _("Send a test mail on the page of settings, and read what comes back.")
        )
    return Finding("ok", ngettext("%(num)s waiting", "%(num)s waiting", outbox.waiting))
