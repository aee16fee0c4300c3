"""Settings as other units use them."""

from webapp.settings.changes import change, find_change, history, latest_changes, revert
from webapp.settings.faults import SettingsConflict, SettingsInvalid
from webapp.settings.overlay import current_overlay

__all__ = [
    "SettingsConflict",
    "SettingsInvalid",
    "change",
    "current_overlay",
    "find_change",
    "history",
    "latest_changes",
    "revert",
]
