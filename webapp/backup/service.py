"""Backups for the rest of the program: made by a task, and before tables are changed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.backup import checks, files, making, reading, restoring, snapshot
from webapp.backup.errors import BackupError
from webapp.backup.making import Made
from webapp.backup.reading import Checker, Contents
from webapp.backup.restoring import Restored
from webapp.backup.rules import Reason
from webapp.config import current_settings, deployment_settings
from webapp.database import db
from webapp.database.revisions import database_revision, head_revision

log = logging.getLogger(__name__)

Say = Callable[[str], None]


def init_app(app: Flask) -> None:
    """Register the check, and what is done before tables are changed."""
    checks.init_app(app)
    app.extensions["before_migration"] = before_migration


def create(
    reason: Reason = Reason.MANUAL,
    *,
    path: Path | None = None,
    passphrase: str = "",
    with_keys: bool = False,
    say: Say = log.info,
) -> Made:
    """Make a backup and record it; automatic ones beyond those that are kept are removed. Raises BackupError."""
    made = making.make(reason, path=path, passphrase=passphrase, with_keys=with_keys, say=say)
    if reason is not Reason.MANUAL:
        for old in files.prune():
            say(f"Removed {old.name}, which is older than those that are kept")
    _record(Event.BACKUP_MADE, made.path, {"reason": reason.value, "rows": made.rows, "keys": with_keys})
    return made


def verify(path: Path, *, passphrase: str = "", say: Say = log.info) -> Contents:
    """Read a backup from beginning to end; raises BrokenBackupError that names the first entry that is wrong."""
    return reading.read_through(path, passphrase, Checker(), say)


def restore(
    path: Path, *, passphrase: str = "", replace: bool = False, with_keys: bool = False, say: Say = log.info
) -> Restored:
    """Restore a backup and record it. Raises BackupError."""
    done = restoring.restore(path, passphrase=passphrase, replace=replace, with_keys=with_keys, say=say)
    if not done.remaining or with_keys:  # under another key the entry would seem to be somebody else's
        _record(
            Event.BACKUP_RESTORED,
            path,
            {"rows": done.contents.rows, "made_at": str(done.contents.header.made_at)},
        )
    return done


def before_migration() -> None:
    """Make a backup of what is there before its tables are changed, unless that is turned off."""
    if not deployment_settings().backup_before_migration:
        return
    with db.engine.connect() as connection:
        if not snapshot.holds_something(connection):
            return
    passphrase = deployment_settings().backup_passphrase.get_secret_value()
    made = create(Reason.MIGRATION, passphrase=passphrase)
    log.warning("backup before a migration", extra={"path": str(made.path)})


def make_scheduled(run: Any) -> str:
    """Make a backup in the course of a task and return its name; raises BackupError."""
    passphrase = current_settings().backup_passphrase.get_secret_value()
    made = create(Reason.SCHEDULED, passphrase=passphrase, say=run.log)
    return f"{made.path.name}: {made.rows} rows, {made.files} files, {made.size} bytes"


def _record(event: Event, path: Path, after: dict[str, Any]) -> None:
    """Record it, where the tables are those of this version; before a migration they are not."""
    try:
        if database_revision() == head_revision():
            target = audit.Party("backup", name=path.name)
            audit.record_alone(event, actor=audit.SYSTEM, target=target, after=after)
    except SQLAlchemyError as error:
        raise BackupError(
            f"It is done, but the audit log could not be written: {type(error).__name__}"
        ) from None
