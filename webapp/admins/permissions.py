"""What an administrator may be allowed to do, and the roles that come with the program: the one table of both."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """A right that roles grant; views name theirs with `webapp.web.guards.needs`."""

    OVERVIEW_READ = "overview.read"
    USERS_READ = "users.read"
    USERS_CHANGE = "users.change"
    USERS_EXPORT = "users.export"
    USERS_IMPORT = "users.import"
    USAGE_READ = "usage.read"
    CODES_READ = "codes.read"
    MAIL_READ = "mail.read"
    MAIL_CHANGE = "mail.change"
    TASKS_READ = "tasks.read"
    TASKS_CHANGE = "tasks.change"
    SETTINGS_READ = "settings.read"
    SETTINGS_CHANGE = "settings.change"
    PROVIDERS_CHANGE = "providers.change"
    ANNOUNCEMENTS_READ = "announcements.read"
    ANNOUNCEMENTS_CHANGE = "announcements.change"
    AUDIT_READ = "audit.read"
    AUDIT_EXPORT = "audit.export"
    AUDIT_VERIFY = "audit.verify"
    ADMINS_READ = "admins.read"
    ADMINS_CHANGE = "admins.change"
    ROLES_CHANGE = "roles.change"
    SYSTEM_READ = "system.read"


SUPERADMIN: Final = "superadmin"
# Other people's chats are in no permission: no page shows them to an administrator.
_READING: Final = frozenset(each for each in Permission if each.value.endswith(".read"))
_OVER_ADMINS: Final = frozenset({Permission.ADMINS_CHANGE, Permission.ROLES_CHANGE})

BUILT_IN_ROLES: Final[dict[str, frozenset[Permission]]] = {
    SUPERADMIN: frozenset(Permission),
    "admin": frozenset(Permission) - _OVER_ADMINS - {Permission.PROVIDERS_CHANGE},
    "operator": frozenset(
        {
            Permission.OVERVIEW_READ,
            Permission.USERS_READ,
            Permission.USERS_CHANGE,
            Permission.USAGE_READ,
            Permission.CODES_READ,
            Permission.MAIL_READ,
            Permission.MAIL_CHANGE,
            Permission.TASKS_READ,
            Permission.TASKS_CHANGE,
            Permission.ANNOUNCEMENTS_READ,
            Permission.SYSTEM_READ,
        }
    ),
    "auditor": _READING | {Permission.AUDIT_EXPORT, Permission.AUDIT_VERIFY},
}
BUILT_IN_GRANTS: Final[dict[str, frozenset[str]]] = {
    name: frozenset(each.value for each in given) for name, given in BUILT_IN_ROLES.items()
}
