"""What administrators do with their own account."""

from __future__ import annotations

from flask_babel import gettext as _

from webapp.accounts import service as users
from webapp.admins.accounts import check_password
from webapp.admins.models import Admin
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import write_transaction
from webapp.errors import Invalid
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.lib import clock


def change_own_account(admin: Admin, *, display_name: str, locale: str | None, timezone: str | None) -> None:
    """Change name, language and zone."""
    shown = users.checked_display_name(display_name)
    if timezone and timezone not in users.timezones():
        raise Invalid(_("Choose one of the time zones offered."), field="timezone")
    _store_account(admin, shown, locale or None, timezone or None)


def change_own_password(admin: Admin, *, current: str, new: str, session_id: int) -> None:
    """Change the password; the other sessions end."""
    if not identity.password_matches(current, admin.password_hash):
        raise Invalid(_("This is not your current password."), field="current", code="password_wrong")
    check_password(new, admin.email, admin.username, field="new")
    _store_password(admin, identity.hashed_password(new), session_id)


@write_transaction
def set_own_locale(admin: Admin, locale: str) -> None:
    """Keep the language on the account."""
    admin.locale = locale


@write_transaction
def end_other_sessions(admin: Admin, session_id: int) -> None:
    """Sign out everywhere else."""
    identity.end_all_sessions(Realm.ADMIN, admin.id, but=session_id)
    audit.record(Event.ADMIN_SESSIONS_ENDED, actor=admin, target=admin)


@write_transaction
def _store_account(admin: Admin, shown: str, locale: str | None, timezone: str | None) -> None:
    before = _state(admin)
    admin.display_name, admin.locale, admin.timezone = shown, locale, timezone
    old, new = audit.changes(before, _state(admin))
    if new:
        audit.record(Event.ADMIN_CHANGED, actor=admin, target=admin, before=old, after=new)


@write_transaction
def _store_password(admin: Admin, password_hash: str, session_id: int) -> None:
    admin.password_hash, admin.password_changed_at = password_hash, clock.utc_now()
    identity.end_all_sessions(Realm.ADMIN, admin.id, but=session_id)
    audit.record(Event.ADMIN_PASSWORD_CHANGED, actor=admin, target=admin)


def _state(admin: Admin) -> dict[str, object]:
    return {"display_name": admin.display_name, "locale": admin.locale, "timezone": admin.timezone}
