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
    reset_second_factor,
)
from webapp.admins.authority import grantable, may_grant
from webapp.admins.default_passwords import with_default_passwords
from webapp.admins.lockouts import count as count_lockouts
from webapp.admins.lockouts import in_force as lockouts_in_force
from webapp.admins.lockouts import lift as lift_lockout
from webapp.admins.own import (
    change_own_account,
    change_own_password,
    end_other_sessions,
    end_own_session,
    new_recovery_codes,
    set_own_locale,
    turn_off_second_factor,
    turn_on_second_factor,
)
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
from webapp.admins.signing import (
    SecondStepNeeded,
    SignIn,
    count_without_second_factor,
    log_in,
    log_in_with_code,
    log_out,
    needs_second_factor,
)

__all__ = [
    "SecondStepNeeded",
    "SignIn",
    "add_admin",
    "add_role",
    "all_admins",
    "all_roles",
    "change_admin",
    "change_own_account",
    "change_own_password",
    "change_role",
    "check_setup_token",
    "count_lockouts",
    "count_without_second_factor",
    "delete_role",
    "disable_admin",
    "enable_admin",
    "end_other_sessions",
    "end_own_session",
    "end_sessions",
    "ensure_built_in_roles",
    "find_admin",
    "get_admin",
    "get_role",
    "get_role_by_id",
    "grantable",
    "has_admins",
    "holders",
    "lift_lockout",
    "load_admin",
    "lockouts_in_force",
    "log_in",
    "log_in_with_code",
    "log_out",
    "may_grant",
    "needs_second_factor",
    "new_recovery_codes",
    "new_setup_token",
    "reset_second_factor",
    "set_own_locale",
    "set_up",
    "turn_off_second_factor",
    "turn_on_second_factor",
    "with_default_passwords",
]
