"""Profile, preferences and password of somebody who is signed in."""

from __future__ import annotations

import logging
from functools import cache
from zoneinfo import available_timezones

from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from webapp.accounts import access, letters, names
from webapp.accounts.models import User
from webapp.accounts.policy import check_password
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import write_transaction
from webapp.errors import Invalid
from webapp.identity import service as identity
from webapp.lib import clock

log = logging.getLogger(__name__)


def update_profile(user: User, *, display_name: str, username: str) -> None:
    """Change what others see of the person."""
    shown, name = names.checked_display_name(display_name), names.checked_username(username)
    try:
        _store_profile(user, shown, name)
    except IntegrityError as error:
        raise names.taken(error) from None


def change_account(user: User, **changes: str | None) -> None:
    """Change some of display name, user name, locale and timezone, all or none; the others stay."""
    shown = names.checked_display_name(changes.get("display_name") or user.display_name)
    name = names.checked_username(changes.get("username") or user.username)
    locale, timezone = changes.get("locale", user.locale), changes.get("timezone", user.timezone)
    try:
        _store_account(user, shown, name, locale, timezone)
    except IntegrityError as error:
        raise names.taken(error) from None


@write_transaction
def set_preferences(user: User, *, locale: str | None, timezone: str | None) -> None:
    """Change how pages and mail are written for the person; None follows the browser and the site."""
    if timezone and timezone not in timezones():
        raise Invalid(_("Choose one of the time zones offered."), field="timezone")
    user.locale, user.timezone = locale or None, timezone or None


def change_password(user: User, *, current: str, new: str, session_id: int | None) -> None:
    """Change the password; ends the person's other sessions and tells by mail."""
    if not identity.password_matches(current, user.password_hash or None):
        raise Invalid(_("This is not your current password."), field="current", code="password_wrong")
    check_password(new, user.email, user.username, field="new")
    _store_password(user, identity.hashed_password(new), session_id)
    log.info("password changed", extra={"user": user.public_id})


@write_transaction
def set_locale(user: User, locale: str) -> None:
    """Keep the language on the account."""
    user.locale = locale


@cache
def timezones() -> tuple[str, ...]:
    """Return the zones that can be chosen: places, and UTC."""
    return ("UTC", *sorted(name for name in available_timezones() if _is_place(name)))


@write_transaction
def _store_account(user: User, shown: str, name: str, locale: str | None, timezone: str | None) -> None:
    _store_profile(user, shown, name)
    set_preferences(user, locale=locale, timezone=timezone)


@write_transaction
def _store_profile(user: User, shown: str, name: str) -> None:
    before = {"display_name": user.display_name, "username": user.username}
    user.display_name, user.username = shown, name
    user.username_canonical = names.canonical_username(name)
    before, after = audit.changes(before, {"display_name": shown, "username": name})
    if after:
        audit.record(Event.USER_PROFILE_CHANGED, actor=user, target=user, before=before, after=after)


@write_transaction
def _store_password(user: User, password_hash: str, session_id: int | None) -> None:
    user.password_hash, user.password_changed_at = password_hash, clock.utc_now()
    access.end_all(user, actor=user, but_session=session_id, tokens=False)
    audit.record(Event.USER_PASSWORD_CHANGED, actor=user, target=user)
    letters.queue_notice(user, "password_changed")


def _is_place(name: str) -> bool:
    return "/" in name and name.split("/", maxsplit=1)[0] in {
        "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
    }  # fmt: skip
