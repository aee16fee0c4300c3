"""What can be done with administrators; each function is one use case."""

from webapp.admins.accounts import (
    add_admin,
    all_admins,
    change_admin,
    disable_admin,
    enable_admin,
    end_sessions,
    find_admin,
    get_admin,
    load_admin,
)
from webapp.admins.authority import grantable, may_grant
from webapp.admins.own import change_own_account, change_own_password, end_other_sessions, set_own_locale
from webapp.admins.roles import (
    add_role,
    all_roles,
    change_role,
    delete_role,
    ensure_built_in_roles,
    get_role,
    get_role_by_id,
    holders,
)
from webapp.admins.setup import check_setup_token, has_admins, new_setup_token, set_up
from webapp.admins.signing import log_in, log_out

__all__ = [
    "add_admin",
    "add_role",
    "all_admins",
    "all_roles",
    "change_admin",
    "change_own_account",
    "change_own_password",
    "change_role",
    "check_setup_token",
    "delete_role",
    "disable_admin",
    "enable_admin",
    "end_other_sessions",
    "end_sessions",
    "ensure_built_in_roles",
    "find_admin",
    "get_admin",
    "get_role",
    "get_role_by_id",
    "grantable",
    "has_admins",
    "holders",
    "load_admin",
    "log_in",
    "log_out",
    "may_grant",
    "new_setup_token",
    "set_own_locale",
    "set_up",
]
