"""What can be done with announcements; each function is one use case."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from webapp.announcements.models import Announcement, AnnouncementDismissal
from webapp.announcements.rules import PER_PAGE, TEXT_MAX_LENGTH, Audience, Level
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import Page, db, newest_first, write_transaction
from webapp.errors import Invalid, NotFound
from webapp.identity.rules import Realm
from webapp.lib import clock


@dataclass(frozen=True, slots=True)
class Draft:
    """What an administrator writes."""

    text_en: str
    text_zh: str
    audience: str
    level: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None


def announcements(*, after: str | None = None, before: str | None = None) -> Page[Announcement]:
    """Return a page of all announcements, the newest first."""
    query, moment = select(Announcement), Announcement.created_at
    return newest_first(query, moment, Announcement.id, after=after, before=before, limit=PER_PAGE)


def get_announcement(public_id: str) -> Announcement:
    """Return an announcement; raises NotFound."""
    query = select(Announcement).where(Announcement.public_id == public_id)
    found: Announcement | None = db.session.scalar(query)
    if found is None:
        raise NotFound(_("There is no such announcement."))
    return found


def check(draft: Draft) -> None:
    """Raise Invalid, beside the field, for a draft that cannot be shown."""
    if not draft.text_en.strip() and not draft.text_zh.strip():
        raise Invalid(_("Write the text, in one language at least."), field="text_en")
    for field in ("text_en", "text_zh"):
        if len(getattr(draft, field)) > TEXT_MAX_LENGTH:
            raise Invalid(_("Use at most %(count)s characters.", count=TEXT_MAX_LENGTH), field=field)
    if draft.audience not in set(Audience):
        raise Invalid(_("Choose one of the audiences offered."), field="audience")
    if draft.level not in set(Level):
        raise Invalid(_("Choose one of the levels offered."), field="level")
    if draft.ends_at is not None and draft.ends_at <= draft.starts_at:
        raise Invalid(_("The end has to come after the beginning."), field="ends_at")


def create(draft: Draft, *, actor: Any) -> Announcement:
    """Add an announcement; raises Invalid beside the field at fault."""
    check(draft)
    return _create(draft, actor)


def change(public_id: str, draft: Draft, *, actor: Any) -> None:
    """Change an announcement; one whose text or level changes is shown again to those who put it away."""
    check(draft)
    _change(public_id, draft, actor)


@write_transaction
def remove(public_id: str, *, actor: Any) -> None:
    """Delete an announcement."""
    found = get_announcement(public_id)
    audit.record(Event.ANNOUNCEMENT_DELETED, actor=actor, target=found, before=_plain(found))
    db.session.delete(found)


def dismiss(public_id: str, realm: Realm, subject_id: int) -> None:
    """Put an announcement away for one person; doing it twice is harmless."""
    try:
        _dismiss(get_announcement(public_id).id, realm, subject_id)
    except IntegrityError:
        return


@write_transaction
def _create(draft: Draft, actor: Any) -> Announcement:
    found = Announcement(**asdict(draft), author_name=audit.party(actor).name)
    db.session.add(found)
    db.session.flush()
    audit.record(Event.ANNOUNCEMENT_CREATED, actor=actor, target=found, after=_plain(found))
    return found


@write_transaction
def _change(public_id: str, draft: Draft, actor: Any) -> None:
    found = get_announcement(public_id)
    before = _plain(found)
    for name, value in asdict(draft).items():
        setattr(found, name, value)
    found.updated_at = clock.utc_now()
    old, new = audit.changes(before, _plain(found))
    if {"text_en", "text_zh", "level"} & new.keys():
        db.session.execute(
            delete(AnnouncementDismissal).where(AnnouncementDismissal.announcement_id == found.id)
        )
    if new:
        audit.record(Event.ANNOUNCEMENT_CHANGED, actor=actor, target=found, before=old, after=new)


@write_transaction
def _dismiss(announcement_id: int, realm: Realm, subject_id: int) -> None:
    db.session.add(
        AnnouncementDismissal(announcement_id=announcement_id, realm=realm.value, subject_id=subject_id)
    )


def _plain(found: Announcement) -> dict[str, Any]:
    names = ("text_en", "text_zh", "audience", "level", "starts_at", "ends_at")
    return {name: getattr(found, name) for name in names}


def forget_user(user: Any) -> None:
    """Delete what a user dismissed, inside the caller's transaction: the account is erased."""
    mine = AnnouncementDismissal.realm == Realm.USER.value, AnnouncementDismissal.subject_id == user.id
    db.session.execute(delete(AnnouncementDismissal).where(*mine))
