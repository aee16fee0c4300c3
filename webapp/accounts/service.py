"""What can be done with accounts; each function is one use case."""

from webapp.accounts.administration.sources import Usage, register_busy, register_usage
from webapp.accounts.avatars import avatar_path, remove_avatar, set_avatar
from webapp.accounts.names import canonical_username, checked_display_name, checked_username
from webapp.accounts.profiles import change_password, set_locale, timezones, update_profile
from webapp.accounts.registration import add_user, ask_register_code, register
from webapp.accounts.signing import ask_reset_code, load_user, log_in, log_out, note_seen, reset_password

__all__ = [
    "Usage",
    "add_user",
    "ask_register_code",
    "ask_reset_code",
    "avatar_path",
    "canonical_username",
    "change_password",
    "checked_display_name",
    "checked_username",
    "load_user",
    "log_in",
    "log_out",
    "note_seen",
    "register",
    "register_busy",
    "register_usage",
    "remove_avatar",
    "reset_password",
    "set_avatar",
    "set_locale",
    "timezones",
    "update_profile",
]
