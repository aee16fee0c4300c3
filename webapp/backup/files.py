"""The files of backups: where they are, how they are called, which are kept."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from webapp.backup.errors import BackupError
from webapp.backup.rules import MIGRATION_KEPT, NAME, Reason
from webapp.config import current_settings
from webapp.lib import clock


@dataclass(frozen=True, slots=True)
class Stored:
    """A backup in the folder, as its name and its file tell."""

    path: Path
    made_at: dt.datetime
    reason: Reason
    encrypted: bool
    size: int


def folder() -> Path:
    """Return the folder of backups."""
    settings = current_settings()
    return Path(settings.backup_path) if settings.backup_path else settings.instance_path / "backups"


def new_path(reason: Reason, *, encrypted: bool) -> Path:
    """Return a name for a new backup."""
    moment = clock.utc_now().strftime("%Y%m%dT%H%M%SZ")
    ending = ".tar.gz.enc" if encrypted else ".tar.gz"
    return folder() / f"agent-tools-{moment}-{reason.value}-{secrets.token_hex(2)}{ending}"


def stored() -> list[Stored]:
    """Return the backups in the folder, the newest first."""
    found: list[Stored] = []
    with contextlib.suppress(FileNotFoundError):
        for path in folder().iterdir():
            match = NAME.fullmatch(path.name)
            if match is None:
                continue
            made_at = dt.datetime.strptime(match[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
            with contextlib.suppress(FileNotFoundError):
                found.append(Stored(path, made_at, Reason(match[2]), bool(match[3]), path.stat().st_size))
    return sorted(found, key=lambda each: (each.made_at, each.path.name), reverse=True)


def prune() -> list[Path]:
    """Remove automatic backups beyond those that are kept; what somebody made by hand stays."""
    kept = {Reason.SCHEDULED: current_settings().backup_keep, Reason.MIGRATION: MIGRATION_KEPT}
    removed: list[Path] = []
    for reason, count in kept.items():
        for old in [each for each in stored() if each.reason is reason][count:]:
            old.path.unlink(missing_ok=True)
            removed.append(old.path)
    return removed


@contextlib.contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that only its owner reads, and that gets its name once it is whole and on the disk."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BackupError(f"{path.parent} cannot be written into: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise BackupError(f"The backup could not be written: {error.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
