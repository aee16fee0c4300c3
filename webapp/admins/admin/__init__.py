"""The dashboard's pages about administrators: the list, roles, and one's own account."""

from webapp.admins.admin.account import blueprint as account
from webapp.admins.admin.administrators import blueprint as administrators
from webapp.admins.admin.lockouts import blueprint as lockouts
from webapp.admins.admin.roles import blueprint as roles
from webapp.admins.admin.second_factor import blueprint as second_factor

__all__ = ["account", "administrators", "lockouts", "roles", "second_factor"]
