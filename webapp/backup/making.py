"""Making a backup, while the program goes on serving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webapp.backup import files, keys, rules, snapshot, uploads
from webapp.backup.archive import ArchiveWriter
from webapp.backup.errors import BackupError
from webapp.backup.rules import Reason
from webapp.config import current_settings
from webapp.lib import clock

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """What was made."""

    path: Path
    rows: int
    files: int
    size: int


def make(
    reason: Reason, *, path: Path | None = None, passphrase: str = "", with_keys: bool = False, say: Say
) -> Made:
    """Write a backup, to a new name in the folder of backups unless a path is given; whole, or not at all."""
    if with_keys and not passphrase:
        raise BackupError(
            "Keys are put into an encrypted backup only: give a passphrase (--passphrase-file)."
        )
    path = path or files.new_path(reason, encrypted=bool(passphrase))
    if path.exists():
        raise BackupError(f"{path} exists already.")
    instance = current_settings().instance_path
    with uploads.held(instance) as held, snapshot.taken() as taken:
        if taken is None:
            raise BackupError("There is nothing to back up yet: the database has no tables.")
        held.hold()
        with files.written(path) as file:
            rows, count = _write(ArchiveWriter(file, passphrase), taken, held, reason, with_keys, say)
    return Made(path, rows, count, path.stat().st_size)


def _write(
    archive: ArchiveWriter,
    taken: snapshot.Snapshot,
    held: uploads.Held,
    reason: Reason,
    with_keys: bool,  # noqa: FBT001
    say: Say,
) -> tuple[int, int]:
    archive.add_json(rules.HEADER, _header(taken, reason))
    tables: dict[str, Any] = {}
    for table in taken.tables():
        archive.add_json(f"tables/{table.name}/{rules.COLUMNS}", table.columns)
        for number, part in enumerate(table.parts(), 1):
            archive.add(f"tables/{table.name}/{number:06}.jsonl", part)
        tables[table.name] = {"rows": table.rows, "sha256": table.digest}
        say(f"{table.name}: {table.rows:,} rows")
    count = 0
    for name, path in held.files():
        archive.add_file(name, path)
        count += 1
    say(f"uploads: {count:,} files")
    if with_keys:
        for name, text in keys.to_carry().items():
            archive.add(f"{keys.FOLDER}/{name}", text.encode())
    sums = archive.sums
    archive.add_json(
        rules.MANIFEST,
        {"entries": sums.entries, "sha256": sums.digest, "tables": tables, "files": count, "keys": with_keys},
    )
    archive.close()
    return sum(each["rows"] for each in tables.values()), count


def _header(taken: snapshot.Snapshot, reason: Reason) -> dict[str, Any]:
    return {
        "format": rules.FORMAT,
        "program": rules.PROGRAM,
        "revision": taken.revision,
        "database": taken.dialect,
        "made_at": clock.utc_now().isoformat(timespec="seconds"),
        "reason": reason.value,
        "key_prints": keys.in_force().to_json(),
    }
