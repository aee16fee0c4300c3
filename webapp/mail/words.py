"""How mails and their states are called on pages."""

from __future__ import annotations

from flask_babel import gettext as _

from webapp.mail.models import MailState


def state_words() -> dict[str, tuple[str, str]]:
    """Return how the states are called, and the kind of badge each has; the normal ones need none."""
    return {
        MailState.QUEUED.value: (_("Waiting"), "live"),
        MailState.SENT.value: (_("Sent"), ""),
        MailState.FAILED.value: (_("Failed"), "bad"),
        MailState.EXPIRED.value: (_("Too late"), "warn"),
        MailState.CANCELLED.value: (_("Cancelled"), "plain"),
    }


def purpose_words() -> dict[str, str]:
    """Return what the mails are for, by their template."""
    return {
        "code": _("Code"),
        "link": _("Link to set a password"),
        "notice": _("Notice"),
        "task_failures": _("Report of failed tasks"),
        "test": _("Test mail"),
    }
