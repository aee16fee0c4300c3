"""How events, and those who act or are acted on, are called on pages; exports and the API keep the codes."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.audit.rules import Event

GROUPS: Final[tuple[tuple[LazyString, dict[Event, LazyString]], ...]] = (
    (
        _l("Signing in and out"),
        {
            Event.USER_SIGNED_IN: _l("User signed in"),
            Event.USER_SIGN_IN_REFUSED: _l("Sign-in of a user refused"),
            Event.USER_SIGNED_OUT: _l("User signed out"),
            Event.USER_LOCKED: _l("Sign-in of a user locked for a while"),
            Event.USER_UNLOCKED: _l("Sign-in of a user unlocked"),
            Event.USER_SESSION_ENDED: _l("Session of a user ended"),
            Event.USER_SESSIONS_ENDED: _l("Sessions of a user ended"),
            Event.USER_DISOWNED_SIGN_IN: _l("User did not recognise a sign-in"),
            Event.ADMIN_SIGNED_IN: _l("Administrator signed in"),
            Event.ADMIN_SIGN_IN_REFUSED: _l("Sign-in of an administrator refused"),
            Event.ADMIN_SIGNED_OUT: _l("Administrator signed out"),
            Event.ADMIN_LOCKED: _l("Sign-in of an administrator locked for a while"),
            Event.ADMIN_UNLOCKED: _l("Sign-in of an administrator unlocked"),
            Event.ADMIN_SESSIONS_ENDED: _l("Sessions of an administrator ended"),
            Event.CONFIRMATION_REFUSED: _l("Wrong password where one had to confirm"),
            Event.ACCESS_DENIED: _l("Access denied"),
        },
    ),
    (
        _l("Accounts"),
        {
            Event.USER_REGISTERED: _l("User registered"),
            Event.USER_INVITED: _l("User invited"),
            Event.USER_PROFILE_CHANGED: _l("Profile changed"),
            Event.USER_PASSWORD_CHANGED: _l("Password of a user changed"),
            Event.USER_RESET_STARTED: _l("Reset of a password started"),
            Event.USER_PASSWORD_RESET: _l("Password of a user reset"),
            Event.USER_EMAIL_CHANGED: _l("E-mail address of a user changed"),
            Event.USER_SECOND_FACTOR_ON: _l("Two-step sign-in of a user turned on"),
            Event.USER_SECOND_FACTOR_OFF: _l("Two-step sign-in of a user turned off"),
            Event.USER_RECOVERY_CODE_USED: _l("Recovery code of a user used"),
            Event.USER_RECOVERY_CODES_MADE: _l("New recovery codes for a user"),
            Event.USER_EXPORTED_DATA: _l("User downloaded their data"),
            Event.USER_DELETION_ASKED: _l("Deletion of an account asked for"),
            Event.USER_DELETION_TAKEN_BACK: _l("Deletion of an account taken back"),
            Event.USER_DELETED: _l("Account deleted"),
            Event.CODE_SENT: _l("Code mailed"),
            Event.CODE_REFUSED: _l("Code refused"),
            Event.CODE_CANCELLED: _l("Code cancelled"),
            Event.TOKEN_CREATED: _l("API token made"),
            Event.TOKEN_REVOKED: _l("API token ended"),
            Event.TOKEN_REFUSED: _l("API token refused"),
        },
    ),
    (
        _l("Looking after users"),
        {
            Event.USER_SUSPENDED: _l("User suspended"),
            Event.USER_RESTORED: _l("User restored"),
            Event.USERS_BULK_CHANGED: _l("Many users changed at once"),
            Event.USERS_EXPORTED: _l("List of users downloaded"),
            Event.USERS_IMPORTED: _l("Users invited from a file"),
        },
    ),
    (
        _l("Administrators and roles"),
        {
            Event.ADMIN_SET_UP: _l("First administrator set up"),
            Event.ADMIN_CREATED: _l("Administrator made"),
            Event.ADMIN_CHANGED: _l("Administrator changed"),
            Event.ADMIN_DISABLED: _l("Administrator disabled"),
            Event.ADMIN_ENABLED: _l("Administrator enabled"),
            Event.ADMIN_PASSWORD_CHANGED: _l("Password of an administrator changed"),
            Event.ADMIN_SECOND_FACTOR_ON: _l("Two-step sign-in of an administrator turned on"),
            Event.ADMIN_SECOND_FACTOR_OFF: _l("Two-step sign-in of an administrator turned off"),
            Event.ADMIN_RECOVERY_CODE_USED: _l("Recovery code of an administrator used"),
            Event.ADMIN_RECOVERY_CODES_MADE: _l("New recovery codes for an administrator"),
            Event.ROLE_CREATED: _l("Role made"),
            Event.ROLE_CHANGED: _l("Role changed"),
            Event.ROLE_DELETED: _l("Role deleted"),
        },
    ),
    (
        _l("Settings and operation"),
        {
            Event.SETTING_CHANGED: _l("Setting changed"),
            Event.SETTING_REVERTED: _l("Setting put back"),
            Event.KEYS_ROTATED: _l("Keys of secrets rotated"),
            Event.PROVIDER_TESTED: _l("Model provider tested"),
            Event.MAIL_TESTED: _l("Test mail sent"),
            Event.MAIL_RETRIED: _l("Mail sent again"),
            Event.MAIL_CANCELLED: _l("Mail cancelled"),
            Event.ANNOUNCEMENT_CREATED: _l("Announcement written"),
            Event.ANNOUNCEMENT_CHANGED: _l("Announcement changed"),
            Event.ANNOUNCEMENT_DELETED: _l("Announcement deleted"),
            Event.AUDIT_EXPORTED: _l("Audit log downloaded"),
            Event.AUDIT_VERIFIED: _l("Audit log verified"),
            Event.AUDIT_PRUNED: _l("Old audit entries removed"),
            Event.BACKUP_MADE: _l("Backup made"),
            Event.BACKUP_RESTORED: _l("Backup restored"),
        },
    ),
    (
        _l("Tasks"),
        {
            Event.TASK_CREATED: _l("Task made"),
            Event.TASK_CHANGED: _l("Task changed"),
            Event.TASK_DELETED: _l("Task deleted"),
            Event.TASK_PAUSED: _l("Task paused"),
            Event.TASK_RESUMED: _l("Task resumed"),
            Event.TASK_DISABLED: _l("Task disabled"),
            Event.TASK_STARTED: _l("Task started by hand"),
            Event.TASK_CANCELLED: _l("Run of a task cancelled"),
            Event.TASK_RAN: _l("Task ran"),
        },
    ),
)
EVENT_NAMES: Final[dict[str, LazyString]] = {
    event.value: name for _group, events in GROUPS for event, name in events.items()
}
KIND_NAMES: Final[dict[str, LazyString]] = {
    "system": _l("The system"),
    "stranger": _l("Somebody not signed in"),
    "user": _l("User"),
    "admin": _l("Administrator"),
    "role": _l("Role"),
    "token": _l("API token"),
    "code": _l("Code"),
    "mail": _l("Mail"),
    "setting": _l("Setting"),
    "provider": _l("Provider"),
    "announcement": _l("Announcement"),
    "task": _l("Task"),
    "address": _l("Address"),
    "backup": _l("Backup"),
}


def event_name(code: str) -> str:
    """Return what happened, in the reader's language; entries of other versions keep their code."""
    return str(EVENT_NAMES.get(code, code))


def kind_name(kind: str) -> str:
    """Return what somebody or something is, in the reader's language."""
    return str(KIND_NAMES.get(kind, kind))


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what the filter offers: groups of (code, name)."""
    return [
        (str(group), [(event.value, str(name)) for event, name in events.items()]) for group, events in GROUPS
    ]


def events_called(words: str) -> tuple[Event, ...]:
    """Return the events whose name, in the reader's language, or whose code has these words in it."""
    sought = words.casefold()
    return tuple(
        Event(code) for code, name in EVENT_NAMES.items() if sought in code or sought in str(name).casefold()
    )
