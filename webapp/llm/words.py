"""What pages of other features say of providers."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _l

from webapp.settings.service import GroupLink

SETTINGS_LINK: Final = GroupLink(
    label=_l("Test the providers"),
    help=_l("Ask each provider something short, and see whether it answers."),
    endpoint="dashboard.providers.index",
    permission="settings.read",
)
