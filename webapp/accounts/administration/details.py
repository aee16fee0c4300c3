"""What a page about one user shows; never a word of what they wrote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from webapp.accounts.administration.listing import USAGE_DAYS
from webapp.accounts.administration.sources import Usage, usage_of
from webapp.accounts.models import User
from webapp.audit.models import AuditEntry
from webapp.database import db
from webapp.identity import service as identity
from webapp.identity.models import ApiToken, LoginSession, SignIn
from webapp.identity.rules import Realm
from webapp.lib import clock
from webapp.mail import administration as mails
from webapp.mail.models import MailMessage

ENTRIES_SHOWN: Final = 20
MAILS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Details:
    """Everything about one user that administrators see."""

    user: User
    usage: Usage
    sessions: Sequence[LoginSession]
    tokens: Sequence[ApiToken]
    sign_ins: Sequence[SignIn]
    entries: Sequence[AuditEntry]
    mails: Sequence[MailMessage]
    locked: bool
    second_factor: bool


def details_of(user: User) -> Details:
    """Gather what a page about the user shows."""
    since = clock.utc_now() - dt.timedelta(days=USAGE_DAYS)
    return Details(
        user=user,
        usage=usage_of([user.id], since).get(user.id, Usage()),
        sessions=identity.sessions_of(Realm.USER, user.id),
        tokens=identity.tokens_of(Realm.USER, user.id),
        sign_ins=identity.sign_in_history(Realm.USER, user.id),
        entries=_entries(user),
        mails=mails.newest_to(user.email, MAILS_SHOWN),
        locked=identity.is_locked(Realm.USER, user.id),
        second_factor=identity.second_factor_is_on(Realm.USER, user.id),
    )


def _entries(user: User) -> Sequence[AuditEntry]:
    """Return the newest of what was done to the user and by the user; each kind is found by an index of its own."""
    newest = (AuditEntry.created_at.desc(), AuditEntry.id.desc())
    found: dict[int, AuditEntry] = {}
    for kind, number in (
        (AuditEntry.target_kind, AuditEntry.target_id),
        (AuditEntry.actor_kind, AuditEntry.actor_id),
    ):
        query = select(AuditEntry).where(kind == "user", number == user.public_id)
        found |= {
            entry.id: entry for entry in db.session.scalars(query.order_by(*newest).limit(ENTRIES_SHOWN))
        }
    entries = sorted(found.values(), key=lambda entry: (entry.created_at, entry.id), reverse=True)
    return entries[:ENTRIES_SHOWN]
