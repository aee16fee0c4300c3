"""The backup that a task makes."""

from __future__ import annotations

from typing import Any

from webapp.backup import service
from webapp.backup.errors import BackupError
from webapp.errors import Unavailable


def make_backup(run: Any) -> str:
    """Make a backup, and remove old ones."""
    try:
        return service.make_scheduled(run)
    except BackupError as error:
        raise Unavailable(str(error)) from None
