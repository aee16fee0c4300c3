"""Trying out settings."""

from __future__ import annotations

from typing import Any

from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.mail import trial
from webapp.mail.trial import Outcome
from webapp.settings.words import MAIL_OUTCOMES


def send_test_mail(actor: Any, *, to: str, locale: str) -> tuple[bool, str]:
    """Send a mail to one address with the settings in force; return whether it went out, and a sentence about it.

    Waits for the mail server: call it outside of any transaction. Raises ValueError for what is not one address.
    """
    outcome = trial.send_test(to=to, locale=locale)
    audit.record_alone(Event.MAIL_TESTED, actor=actor, after={"to": to, "outcome": outcome.value})
    return outcome in {Outcome.SENT, Outcome.SHOWN}, str(MAIL_OUTCOMES[outcome])
