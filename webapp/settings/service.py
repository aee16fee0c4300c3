"""Settings as other units use them."""

from webapp.settings.changes import change, find_change, history, latest_changes, revert
from webapp.settings.faults import SettingsConflict, SettingsInvalid
from webapp.settings.links import GroupLink, add_link
from webapp.settings.overlay import current_overlay
from webapp.settings.trials import send_test_mail

__all__ = [
    "GroupLink",
    "SettingsConflict",
    "SettingsInvalid",
    "add_link",
    "change",
    "current_overlay",
    "find_change",
    "history",
    "latest_changes",
    "revert",
    "send_test_mail",
]
