"""What administrators do with their own account."""

from __future__ import annotations

from flask_babel import gettext as _

from webapp.accounts import service as users
from webapp.admins.accounts import check_password
from webapp.admins.models import Admin
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.config import current_settings
from webapp.database import write_transaction
from webapp.errors import Conflict, Invalid, NotAllowed
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
def end_own_session(admin: Admin, session_public_id: str) -> None:
    """Sign out one other device; raises NotFound for what is not one's own."""
    ended = identity.end_one_session(Realm.ADMIN, admin.id, session_public_id)
    audit.record(Event.ADMIN_SESSIONS_ENDED, actor=admin, target=admin, after={"address": ended.address})


@write_transaction
def turn_on_second_factor(admin: Admin, code: str) -> list[str]:
    """Ask for a second step from now on; returns the recovery codes, which are shown once."""
    codes = identity.turn_totp_on(Realm.ADMIN, admin.id, code)
    audit.record(Event.ADMIN_SECOND_FACTOR_ON, actor=admin, target=admin)
    return codes


@write_transaction
def turn_off_second_factor(admin: Admin) -> None:
    """Ask for no second step any more, where the settings leave that to administrators."""
    if current_settings().second_factor_for_admins:
        raise NotAllowed(
            _("Administrators need two-step sign-in here. You can set it up anew on another phone.")
        )
    if identity.turn_totp_off(Realm.ADMIN, admin.id):
        audit.record(Event.ADMIN_SECOND_FACTOR_OFF, actor=admin, target=admin)


@write_transaction
def new_recovery_codes(admin: Admin) -> list[str]:
    """Replace the recovery codes; the old ones work no longer."""
    if not identity.second_factor_is_on(Realm.ADMIN, admin.id):
        raise Conflict(_("Turn two-step sign-in on first."))
    codes = identity.new_recovery_codes(Realm.ADMIN, admin.id)
    audit.record(Event.ADMIN_RECOVERY_CODES_MADE, actor=admin, target=admin)
    return codes


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
