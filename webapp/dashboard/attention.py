"""What needs attention now: each with what is wrong, one sentence, and the one page where it is mended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.routing import BuildError

from webapp.admins import service as admins
from webapp.admins.permissions import Permission
from webapp.chat import figures as answers
from webapp.config import current_settings
from webapp.lib import clock
from webapp.lib.checks import Check, Finding
from webapp.llm import service as llm
from webapp.llm.errors import ProviderErrorKind
from webapp.mail import figures as mail
from webapp.tasks import checks as tasks
from webapp.web.filters import local_clock, local_moment

RECENT: Final = dt.timedelta(hours=24)
_OF_THEIR_OWN: Final = frozenset({"mail", "models"})  # told in more words than the system check has


@dataclass(frozen=True, slots=True)
class Item:
    """Something wrong. `sentence` may hold a time element."""

    state: str
    title: str
    sentence: Any
    label: str = ""
    url: str = ""


def items(admin: Any, found: list[tuple[Check, Finding]]) -> list[Item]:
    """Return what is wrong, the worst first; buttons only to pages this administrator may open."""
    everything = [
        *_models(admin),
        *_answers(admin),
        *_mail(admin),
        *_tasks(admin),
        *_people(admin),
        *_checks(admin, found),
    ]
    return sorted(everything, key=lambda item: item.state != "bad")


def last_problem() -> dt.datetime | None:
    """Return when something went wrong with an answer for the last time."""
    return answers.last_problem()


def _models(admin: Any) -> Iterator[Item]:
    if any(model.available for model in llm.models()):
        return
    sentence = _("Nobody can ask anything. Set the key of a provider, or turn on the embedded model.")
    button = _button(admin, Permission.SETTINGS_READ, _("Open providers"), "dashboard.providers.index")
    yield Item("bad", _("No model is ready"), sentence, *button)


def _answers(admin: Any) -> Iterator[Item]:
    since = clock.utc_now() - RECENT
    for each in answers.failures(since)[:3]:
        sentence = ngettext(
            "%(num)s answer failed since %(time)s: %(reason)s.",
            "%(num)s answers failed since %(time)s: %(reason)s.",
            each.count,
            time=local_clock(each.first_at),
            reason=_reason(each.kind),
        )
        button = _button(admin, Permission.SETTINGS_READ, _("Open providers"), "dashboard.providers.index")
        title = _("%(model)s fails", model=llm.label_of(each.model))
        yield Item("bad", title, sentence, *button)
    count, last = answers.interrupted(since)
    if count and last is not None:
        title = ngettext("%(num)s answer was interrupted", "%(num)s answers were interrupted", count)
        sentence = _(
            "The last one at %(time)s. Their text is kept and can be continued.", time=local_clock(last)
        )
        yield Item(
            "warn",
            title,
            sentence,
            *_button(admin, Permission.USAGE_READ, _("Show usage"), "dashboard.usage.index"),
        )


def _mail(admin: Any) -> Iterator[Item]:
    settings_button = _button(admin, Permission.SETTINGS_READ, _("Set up mail"), "dashboard.settings.index")
    settings = current_settings()
    if not settings.mail_server:
        if not settings.shows_mail:
            sentence = _("Nobody can register or reset a password by mail.")
            yield Item("warn", _("Mail is not set up"), sentence, *settings_button)
        return
    outbox = mail.outbox()
    button = _button(admin, Permission.MAIL_READ, _("Open queue"), "dashboard.mail.index")
    if outbox.stuck:
        title = ngettext("%(num)s mail is waiting", "%(num)s mails are waiting", outbox.stuck)
        when = local_clock(outbox.next_attempt_at) if outbox.next_attempt_at else "–"
        yield Item(
            "warn",
            title,
            _("%(error)s Next try at %(time)s.", error=_stop(outbox.last_error), time=when),
            *button,
        )
    if outbox.failed:
        title = ngettext("%(num)s mail was not delivered", "%(num)s mails were not delivered", outbox.failed)
        yield Item("bad", title, _stop(outbox.last_error) or _("The mail server refused."), *button)


def _tasks(admin: Any) -> Iterator[Item]:
    for each in tasks.failed_tasks(clock.utc_now() - RECENT):
        title = _("“%(name)s” fails", name=each.name)
        sentence = ngettext(
            "%(num)s run failed in the last day, the last one on %(time)s.",
            "%(num)s runs failed in the last day, the last one on %(time)s.",
            each.count,
            time=local_moment(each.last_at),
        )
        yield Item(
            "warn",
            title,
            sentence,
            *_button(admin, Permission.TASKS_READ, _("Show tasks"), "dashboard.tasks.index"),
        )


def _people(admin: Any) -> Iterator[Item]:
    if count := admins.count_lockouts(admin):
        title = ngettext("%(num)s sign-in is locked", "%(num)s sign-ins are locked", count)
        sentence = _("Too many tries in vain. It may be somebody who guesses, or somebody who forgot.")
        button = _button(admin, Permission.USERS_READ, _("Show who waits"), "dashboard.lockouts.index")
        yield Item("warn", title, sentence, *button)
    if count := admins.count_without_second_factor():
        title = ngettext(
            "%(num)s administrator has no second factor",
            "%(num)s administrators have no second factor",
            count,
        )
        sentence = _(
            "They have to set one up at their next sign-in; until then their password is all there is."
        )
        button = _button(
            admin, Permission.ADMINS_READ, _("Show administrators"), "dashboard.administrators.index"
        )
        yield Item("warn", title, sentence, *button)


def _checks(admin: Any, found: list[tuple[Check, Finding]]) -> Iterator[Item]:
    for check, finding in found:
        if finding.state in {"warn", "bad"} and check.name not in _OF_THEIR_OWN:
            title = _("%(name)s: %(value)s", name=check.label, value=finding.value)
            yield Item(
                finding.state,
                title,
                finding.fix,
                *_button(admin, Permission.SYSTEM_READ, _("System check"), "dashboard.system.index"),
            )


def _button(admin: Any, permission: Permission, label: str, endpoint: str) -> tuple[str, str]:
    if not admin.may(permission):
        return "", ""
    try:
        return label, url_for(endpoint)
    except BuildError:  # that page is not in this version
        return "", ""


def _reason(kind: str) -> str:
    words: dict[str, str] = {
        ProviderErrorKind.AUTH: _("the provider refuses our key"),
        ProviderErrorKind.QUOTA: _("the account there has no credit left"),
        ProviderErrorKind.RATE_LIMITED: _("the provider limits how often it is asked"),
        ProviderErrorKind.TIMEOUT: _("the provider did not answer in time"),
        ProviderErrorKind.STALLED: _("the provider stopped in the middle"),
        ProviderErrorKind.UNAVAILABLE: _("the provider cannot be reached, or fails"),
        ProviderErrorKind.REJECTED: _("the provider refused the request"),
    }
    return words.get(kind) or kind.replace("_", " ") or _("unknown reason")


def _stop(text: str) -> str:
    return f"{text.rstrip('.')}." if text else ""
