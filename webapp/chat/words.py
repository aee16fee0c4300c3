"""What pages say about answers and lists: endings in plain words, days, greetings."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import to_user_timezone

from webapp.chat.models import Conversation
from webapp.chat.rules import AnswerState
from webapp.chat.service import AnswerView
from webapp.lib import clock


@dataclass(frozen=True, slots=True)
class EndingWords:
    """The card under an answer that did not simply end: `kind` is '' (amber), 'bad' or 'plain'."""

    title: str
    sentence: str
    kind: str
    icon: str = ""
    show_request_id: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Conversations of one stretch of time."""

    label: str
    conversations: list[Conversation]


def ending_words(answer: AnswerView) -> EndingWords | None:
    """Return what is said under an answer, None for one that is complete or being written."""
    if answer.state is AnswerState.FAILED:
        return _failure(answer)
    if answer.state is AnswerState.INTERRUPTED:
        return _interruption(answer)
    if answer.state is AnswerState.STOPPED:
        return EndingWords(_("You stopped this answer"), _("What was written is saved."), "plain")
    if answer.state is AnswerState.LENGTH:
        sentence = _("It reached the longest length the model may write. What was written is saved.")
        return EndingWords(_("This answer was cut off"), sentence, "plain")
    if answer.state is AnswerState.FILTERED:
        sentence = _("The provider's content filter ended it. Ask in other words, or use another model.")
        return EndingWords(_("This answer was filtered"), sentence, "plain", "filter")
    return None


def seconds_since(moment: dt.datetime) -> int:
    """Return the whole seconds that have passed."""
    return max(0, int((clock.utc_now() - moment).total_seconds()))


def group_by_day(conversations: Iterable[Conversation]) -> list[Group]:
    """Return conversations, newest first, in groups as the reader's calendar has them."""
    today = to_user_timezone(clock.utc_now()).date()
    groups: list[Group] = []
    for conversation in conversations:
        label = _day_label(today, to_user_timezone(conversation.updated_at).date())
        if not groups or groups[-1].label != label:
            groups.append(Group(label, []))
        groups[-1].conversations.append(conversation)
    return groups


def marked(text: str, found: list[str]) -> list[tuple[str, bool]]:
    """Return the text in pieces, each with whether it is one of the words that were found."""
    longest_first = sorted(map(re.escape, found), key=len, reverse=True)
    pieces = re.split(f"({'|'.join(longest_first)})", text, flags=re.IGNORECASE)
    return [(piece, place % 2 == 1) for place, piece in enumerate(pieces) if piece]


def greeting(name: str) -> str:
    """Return a greeting for the time of day where the reader is."""
    hour = to_user_timezone(clock.utc_now()).hour
    if 5 <= hour < 12:
        return str(_("Good morning, %(name)s.", name=name))
    if 12 <= hour < 18:
        return str(_("Good afternoon, %(name)s.", name=name))
    return str(_("Good evening, %(name)s.", name=name))


def _day_label(today: dt.date, day: dt.date) -> str:
    days = (today - day).days
    if days <= 0:
        return str(_("Today"))
    if days == 1:
        return str(_("Yesterday"))
    return str(_("Last 7 days") if days <= 7 else _("Older"))


def _interruption(answer: AnswerView) -> EndingWords:
    ended = to_user_timezone(answer.ended_at or clock.utc_now())
    time = f"{ended:%H:%M}"
    if answer.error_kind == "worker_lost":
        sentence = _("The server broke off at %(time)s. Everything above is saved.", time=time)
    elif answer.error_kind:
        sentence = _("The model's provider broke off at %(time)s. Everything above is saved.", time=time)
    else:
        sentence = _("The server restarted at %(time)s. Everything above is saved.", time=time)
    return EndingWords(_("This answer stopped early"), sentence, "")


def _failure(answer: AnswerView) -> EndingWords:
    name = answer.model_label
    kept = _("Your message is saved and nothing was charged.")
    titles = {
        "provider_auth": _("%(model)s does not accept our key", model=name),
        "provider_quota": _("%(model)s has no credit left", model=name),
        "provider_rate_limited": _("%(model)s is busy right now", model=name),
        "provider_timeout": _("%(model)s did not answer in time", model=name),
        "provider_stalled": _("%(model)s did not answer in time", model=name),
        "provider_unavailable": _("%(model)s cannot be reached", model=name),
        "provider_rejected": _("%(model)s refused this request", model=name),
        "provider_protocol": _("%(model)s sent something we cannot read", model=name),
        "provider_truncated": _("%(model)s broke off", model=name),
        "empty": _("%(model)s sent an empty answer", model=name),
    }
    title = titles.get(answer.error_kind or "", _("Something broke on our side"))
    advice = {
        "provider_auth": _("An administrator has to renew the key. Use another model meanwhile."),
        "provider_quota": _("An administrator has to pay for more. Use another model meanwhile."),
        "provider_rejected": _("It may be too long for this model. Shorten it, or use another model."),
    }.get(answer.error_kind or "", _("Try again, or use another model."))
    return EndingWords(title, f"{kept} {advice}", "bad", show_request_id=True)
