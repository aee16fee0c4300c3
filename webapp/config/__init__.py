"""The settings of a deployment, read once from the environment and `.env`."""

from webapp.config.deploying import Unsafe, unsafe
from webapp.config.loading import (
    SettingsError,
    current_settings,
    deployment_settings,
    load_settings,
    new_key,
    share_numbers,
    with_own_secrets,
)
from webapp.config.settings import ROOT, Settings

__all__ = [
    "ROOT",
    "Settings",
    "SettingsError",
    "Unsafe",
    "current_settings",
    "deployment_settings",
    "load_settings",
    "new_key",
    "share_numbers",
    "unsafe",
    "with_own_secrets",
]
