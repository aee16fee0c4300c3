"""How roles and permissions are called and explained on pages."""

from __future__ import annotations

from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.admins.models import Role
from webapp.admins.permissions import Permission
from webapp.identity.rules import ThrottleKind

ROLE_NAMES: Final[dict[str, LazyString]] = {
    "superadmin": _l("Superadmin"),
    "admin": _l("Admin"),
    "operator": _l("Operator"),
    "auditor": _l("Auditor"),
}
ROLE_DESCRIPTIONS: Final[dict[str, LazyString]] = {
    "superadmin": _l("May do everything, other administrators and roles included."),
    "admin": _l("May do everything but decide about administrators, roles and the keys of providers."),
    "operator": _l("Looks after users, mail and tasks day by day."),
    "auditor": _l("May read everything, and change nothing."),
}

PERMISSION_GROUPS: Final[tuple[tuple[LazyString, dict[Permission, LazyString]], ...]] = (
    (
        _l("Overview"),
        {
            Permission.OVERVIEW_READ: _l("See the overview with its charts."),
            Permission.USAGE_READ: _l("See usage and cost, by model and person."),
            Permission.SYSTEM_READ: _l("See the system check."),
        },
    ),
    (
        _l("Users"),
        {
            Permission.USERS_READ: _l("See users, their sessions and their history."),
            Permission.USERS_CHANGE: _l("Suspend, restore, unlock, sign out, start a reset of the password."),
            Permission.USERS_EXPORT: _l("Download lists of users."),
            Permission.USERS_IMPORT: _l("Invite users from a file."),
        },
    ),
    (
        _l("Operation"),
        {
            Permission.CODES_READ: _l("See which verification codes were asked for, never the codes."),
            Permission.MAIL_READ: _l("See the mail queue, never the codes in it."),
            Permission.MAIL_CHANGE: _l("Send mail again, or cancel it."),
            Permission.TASKS_READ: _l("See tasks and their runs."),
            Permission.TASKS_CHANGE: _l("Make, change, run and delete tasks."),
            Permission.ANNOUNCEMENTS_READ: _l("See announcements."),
            Permission.ANNOUNCEMENTS_CHANGE: _l("Write announcements."),
        },
    ),
    (
        _l("Settings"),
        {
            Permission.SETTINGS_READ: _l("See settings; secrets are never shown."),
            Permission.SETTINGS_CHANGE: _l("Change settings."),
            Permission.PROVIDERS_CHANGE: _l("Set up providers of models and their keys."),
        },
    ),
    (
        _l("Oversight"),
        {
            Permission.AUDIT_READ: _l("Read the audit log."),
            Permission.AUDIT_EXPORT: _l("Download the audit log."),
            Permission.AUDIT_VERIFY: _l("Check the seals of the audit log."),
            Permission.ADMINS_READ: _l("See administrators and roles."),
            Permission.ADMINS_CHANGE: _l(
                "Make, change and disable administrators with no more rights than one's own."
            ),
            Permission.ROLES_CHANGE: _l("Compose roles of the permissions one has."),
        },
    ),
)


def lockout_words() -> dict[str, str]:
    """Return what may have to wait after too many tries in vain."""
    return {
        ThrottleKind.ACCOUNT.value: _("Signing in to the account, but for its known devices"),
        ThrottleKind.DEVICE.value: _("Signing in from one known device"),
        ThrottleKind.ADDRESS.value: _("Signing in from this address"),
        ThrottleKind.SECOND_STEP.value: _("The second step of signing in"),
        ThrottleKind.CONFIRMATION.value: _("Confirming with the password"),
    }


def role_name(role: Role) -> str:
    """Return how a role is called: those that come with the program in the reader's language."""
    return str(ROLE_NAMES[role.name]) if role.built_in and role.name in ROLE_NAMES else role.name


def role_description(role: Role) -> str:
    """Return what a role is for."""
    if role.built_in and role.name in ROLE_DESCRIPTIONS:
        return str(ROLE_DESCRIPTIONS[role.name])
    return role.description
