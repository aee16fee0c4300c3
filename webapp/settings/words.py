"""Settings in words people understand: their labels, what they are for, their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_babel.speaklater import LazyString

from webapp.audit.rules import MASKED
from webapp.mail.trial import Outcome


@dataclass(frozen=True, slots=True)
class Words:
    """What a setting is called, and what it does."""

    label: LazyString
    help: LazyString


GROUP_LABELS: Final = {
    "site": _l("Site"),
    "accounts": _l("Accounts"),
    "mail": _l("Mail"),
    "models": _l("Models"),
    "records": _l("Records"),
}

WORDS: Final[dict[str, Words]] = {
    "site_name": Words(_l("Name of the site"), _l("Shown on every page and in mail.")),
    "default_locale": Words(
        _l("Language"), _l("For people whose account and browser do not say which one they read.")
    ),
    "default_timezone": Words(
        _l("Time zone"), _l("For people who chose none: UTC, or a name such as Asia/Shanghai.")
    ),
    "registration_open": Words(
        _l("Anybody may register"), _l("Off: people can only join when you add or invite them.")
    ),
    "registration_domains": Words(
        _l("E-mail domains that may register"),
        _l("One a line, such as example.com. Empty: every domain. Accounts that exist are not touched."),
    ),
    "password_min_length": Words(
        _l("Shortest password of a user"),
        _l("Characters, from 8 to 64. Holds for passwords set from now on."),
    ),
    "admin_password_min_length": Words(
        _l("Shortest password of an administrator"),
        _l("Characters, from 8 to 64. Holds for passwords set from now on."),
    ),
    "session_idle_minutes": Words(
        _l("Sign out users who are away for"), _l("A sign-in ends after so long without use.")
    ),
    "session_absolute_minutes": Words(
        _l("Sign out users after"), _l("A sign-in ends after so long, however much it is used.")
    ),
    "admin_session_idle_minutes": Words(
        _l("Sign out administrators who are away for"), _l("A sign-in ends after so long without use.")
    ),
    "admin_session_absolute_minutes": Words(
        _l("Sign out administrators after"), _l("A sign-in ends after so long, however much it is used.")
    ),
    "admins_need_second_factor": Words(
        _l("Administrators need a second factor"),
        _l("Those who have none set one up at their next sign-in."),
    ),
    "mail_server": Words(
        _l("Mail server"),
        _l("Name of the SMTP host. When it changes, the password stored for the old one is removed."),
    ),
    "mail_port": Words(_l("Port"), _l("Usually 587, or 465 with TLS from the first byte.")),
    "mail_username": Words(_l("User name"), _l("Leave it empty where the server wants none.")),
    "mail_password": Words(_l("Password"), _l("Stored encrypted, and never shown again.")),
    "mail_use_tls": Words(
        _l("Encrypt with STARTTLS"), _l("The usual way on port 587. The server's certificate is checked.")
    ),
    "mail_use_ssl": Words(_l("Encrypt from the first byte"), _l("The usual way on port 465.")),
    "mail_sender": Words(_l("Sender"), _l("The address that mail comes from.")),
    "mail_timeout_seconds": Words(
        _l("Wait for the mail server"), _l("Seconds, from 1 to 120, until a try counts as failed.")
    ),
    "default_model": Words(_l("Model of a new chat"), _l("Empty: the first one that is available.")),
    "zhipuai_api_key": Words(
        _l("Zhipu: key"), _l("Of the form id.secret. Stored encrypted, and never shown again.")
    ),
    "zhipuai_base_url": Words(
        _l("Zhipu: address"), _l("When the host changes, the key stored for the old one is removed.")
    ),
    "zhipuai_models": Words(
        _l("Zhipu: models"), _l("The names of the models people can choose, one a line.")
    ),
    "openai_compatible_api_key": Words(
        _l("OpenAI-compatible service: key"), _l("Stored encrypted, and never shown again.")
    ),
    "openai_compatible_base_url": Words(
        _l("OpenAI-compatible service: address"),
        _l("Such as https://host/v1. When the host changes, the key stored for the old one is removed."),
    ),
    "openai_compatible_models": Words(
        _l("OpenAI-compatible service: models"), _l("The names of the models people can choose, one a line.")
    ),
    "model_prices": Words(
        _l("Prices of models"),
        _l("One a line: model=input/output for a million tokens, such as glm-4-plus=5/5."),
    ),
    "price_currency": Words(_l("Currency of prices"), _l("Three letters, such as CNY or EUR.")),
    "llm_first_token_timeout_seconds": Words(
        _l("Wait for the first word"), _l("Seconds, up to 600, until an answer counts as failed.")
    ),
    "llm_idle_timeout_seconds": Words(
        _l("Longest pause within an answer"), _l("Seconds, up to 600, until an answer counts as cut off.")
    ),
    "max_streams_per_user": Words(
        _l("Answers at once"), _l("So many one person may have running at the same time, from 1 to 1000.")
    ),
    "schedules_per_user": Words(
        _l("Scheduled prompts"), _l("So many one person may have, up to 1000; 0 lets nobody make any.")
    ),
    "schedule_min_minutes": Words(
        _l("Shortest time between scheduled runs"), _l("Minutes, from 1 to 10080, which is a week.")
    ),
    "audit_retention_days": Words(
        _l("Keep the audit log for"),
        _l("Days. Older entries are removed for good; 0 keeps them for ever."),
    ),
    "task_history_days": Words(
        _l("Keep the history of tasks for"),
        _l("Days, from 1 to 3650. Older runs and their logs are removed."),
    ),
    "task_failures_to": Words(
        _l("Who is told of failed tasks"),
        _l("Addresses, one a line. They get one collected mail an hour, and none when nothing failed."),
    ),
}

CHOICES: Final[dict[str, dict[str, LazyString | str]]] = {
    "default_locale": {"en": "English", "zh_CN": "中文"},
    "admins_need_second_factor": {
        "auto": _l("On a production server"),
        "on": _l("Always"),
        "off": _l("Never"),
    },
}

MAIL_OUTCOMES: Final = {
    Outcome.SENT: _l("The mail server took the mail. Look whether it arrives, also among unwanted mail."),
    Outcome.SHOWN: _l("No mail server is set, so the mail lies on the developer's page, /dev/mail."),
    Outcome.NOT_REACHED: _l("The mail server cannot be reached. Check its name and port."),
    Outcome.TOO_SLOW: _l("The mail server did not answer in time. Check its name and port."),
    Outcome.NOT_ENCRYPTED: _l(
        "No encrypted connection came about. Check the port, the kind of encryption, and the server's certificate."
    ),
    Outcome.SIGN_IN_REFUSED: _l("The mail server refused the user name or password."),
    Outcome.REFUSED: _l("The mail server refused the mail. Check the sender and the receiver."),
    Outcome.FAILED: _l("The mail could not be sent, and the mail server did not say why."),
}

UNITS: Final = {1: _l("minutes"), 60: _l("hours"), 1440: _l("days")}


def label_of(name: str) -> str:
    """Return what a setting is called."""
    return str(WORDS[name].label) if name in WORDS else name


def in_words(name: str, value: Any) -> str:
    """Return a value, as histories keep it, in words."""
    if value is None:
        return str(_("The environment's value"))
    if isinstance(value, bool):
        return str(_("On") if value else _("Off"))
    if value in ("", []):
        return str(_("Empty"))
    if value == MASKED:
        return str(_("A secret"))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if name.endswith("_minutes") and isinstance(value, int):
        return _duration(value)
    if name.endswith("_days") and isinstance(value, int):
        return str(ngettext("%(num)s day", "%(num)s days", value))
    if name.endswith("_seconds") and isinstance(value, int | float):
        return str(_("%(count)s seconds", count=f"{value:g}"))
    return str(CHOICES.get(name, {}).get(str(value), value))


def best_unit(minutes: int) -> int:
    """Return the largest unit, in minutes, in which a duration is a whole number."""
    return next(unit for unit in sorted(UNITS, reverse=True) if minutes % unit == 0)


def _duration(minutes: int) -> str:
    unit = best_unit(minutes)
    count = minutes // unit
    if unit == 1440:
        return str(ngettext("%(num)s day", "%(num)s days", count))
    if unit == 60:
        return str(ngettext("%(num)s hour", "%(num)s hours", count))
    return str(ngettext("%(num)s minute", "%(num)s minutes", count))
