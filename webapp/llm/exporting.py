"""Somebody's usage of models in the export of their data."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from webapp.accounts.models import User
from webapp.accounts.service import Archive, in_batches
from webapp.llm.models import UsageEntry

_NAMES = ("created_at", "model", "ending", "prompt_tokens", "completion_tokens", "estimated", "cost_micros")


def export(user: User, archive: Archive) -> None:
    """Write the entries of the ledger."""
    query = select(UsageEntry).where(UsageEntry.user_id == user.id)
    archive.table(
        "usage",
        _("Usage"),
        lambda: ({name: getattr(row, name) for name in _NAMES} for row in in_batches(query, UsageEntry.id)),
    )
