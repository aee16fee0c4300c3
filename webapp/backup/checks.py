"""The system check of backups: whether there is one that is young enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.backup import files
from webapp.config import current_settings
from webapp.lib import checks, clock
from webapp.lib.checks import Finding
from webapp.metrics import Reading, register_reading

OLD_DAYS: Final = 8  # a weekly backup that came a day late


def init_app(app: Flask) -> None:
    """Register the check."""
    checks.register(app, "backup", _l("Backup"), _backup)
    register_reading(app, _readings)


def _readings() -> Iterator[Reading]:
    newest = next(iter(files.stored()), None)
    if newest is not None:
        yield Reading("backup_last_success_timestamp_seconds", newest.made_at.timestamp())
        yield Reading("backup_last_size_bytes", newest.size)


def _backup() -> Finding:
    try:
        newest = next(iter(files.stored()), None)
    except OSError:
        fix = _("Let the program's user read %(folder)s.", folder=files.folder())
        return Finding("warn", _("cannot be looked at"), fix)
    settings = current_settings()
    if newest is None:
        if settings.profile == "production":
            return Finding("warn", _("none yet"), _("Make one now: flask backup create"))
        planned = settings.backup_schedule != "off"
        return Finding("idle", _("none yet") if planned else _("none, and none planned"))
    days = (clock.utc_now() - newest.made_at).days
    if days <= OLD_DAYS:
        return Finding(
            "ok", _("%(hours)s h old", hours=round((clock.utc_now() - newest.made_at).total_seconds() / 3600))
        )
    return Finding(
        "warn", _("%(days)s days old", days=days), _("Look at the task that makes backups, and its last run.")
    )
