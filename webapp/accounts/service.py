"""What can be done with accounts; each function is one use case."""

from webapp.accounts.administration.sources import Usage, register_busy, register_usage
from webapp.accounts.avatars import avatar_path, remove_avatar, set_avatar
from webapp.accounts.names import canonical_username, checked_display_name, checked_username
from webapp.accounts.profiles import change_password, set_locale, timezones, update_profile
from webapp.accounts.registration import add_user, ask_register_code, register
from webapp.accounts.resetting import ask_reset_code, reset_by_link, reset_password, user_of_link
from webapp.accounts.signing import (
    DeletionPending,
    SecondStepNeeded,
    SignedIn,
    SignIn,
    begin_first_session,
    deletion_of,
    keep_account,
    load_user,
    log_in,
    log_in_with_code,
    log_out,
    note_seen,
)
from webapp.accounts.states import (
    end_sessions,
    find_by_name,
    get_user,
    invite,
    reset_link,
    restore,
    start_reset,
    suspend,
    unlock,
)
from webapp.accounts.taking_back import check_disown_link, check_objection_link, disown, object_to_address

__all__ = [
    "DeletionPending",
    "SecondStepNeeded",
    "SignIn",
    "SignedIn",
    "Usage",
    "add_user",
    "ask_register_code",
    "ask_reset_code",
    "avatar_path",
    "begin_first_session",
    "canonical_username",
    "change_password",
    "check_disown_link",
    "check_objection_link",
    "checked_display_name",
    "checked_username",
    "deletion_of",
    "disown",
    "end_sessions",
    "find_by_name",
    "get_user",
    "invite",
    "keep_account",
    "load_user",
    "log_in",
    "log_in_with_code",
    "log_out",
    "note_seen",
    "object_to_address",
    "register",
    "register_busy",
    "register_usage",
    "remove_avatar",
    "reset_by_link",
    "reset_link",
    "reset_password",
    "restore",
    "set_avatar",
    "set_locale",
    "start_reset",
    "suspend",
    "timezones",
    "unlock",
    "update_profile",
    "user_of_link",
]
