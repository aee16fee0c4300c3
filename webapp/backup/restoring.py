"""Restoring a backup, into a database of whichever kind: whole, or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask_migrate import upgrade

from webapp.backup import keys, reading, rows, snapshot, uploads
from webapp.backup.errors import BackupError
from webapp.backup.reading import Contents, Header
from webapp.config import ROOT, deployment_settings
from webapp.database import db, process_lock
from webapp.database.engine import WRITES, patient_engine
from webapp.database.revisions import database_revision, head_revision

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and in words what remains to be done by hand."""

    contents: Contents
    remaining: list[str]


def restore(path: Path, *, passphrase: str, replace: bool, with_keys: bool, say: Say) -> Restored:
    """Put a backup into the database of the settings and its uploads into the instance folder.

    A database that holds something is refused unless it may be replaced. One of an older version is brought up to
    date behind it. Nothing else may use the database meanwhile.
    """
    header = reading.read_header(path, passphrase)
    holds = _prepare(header, replace=replace)
    files = uploads.Restoring(deployment_settings().instance_path)
    try:
        with _loading() as connection:
            loader = _Loader(connection, files)
            contents = reading.read_through(path, passphrase, loader, say)
            if with_keys and not contents.keys:
                raise BackupError("The backup carries no keys: it was made without --with-keys.")
            loader.check_references()
    except BaseException:
        files.undo()
        raise
    if holds:
        files.remove_others()
    remaining = keys.adopt(contents.keys) if with_keys else []
    if header.revision != head_revision():
        say("Bringing the tables up to date")
        upgrade()
    return Restored(contents, remaining + keys.missing(header.prints))


def _prepare(header: Header, *, replace: bool) -> bool:
    """Make tables of the backup's revision, and return whether there was something that is to be replaced."""
    known = {script.revision for script in ScriptDirectory(str(ROOT / "migrations")).walk_revisions()}
    if header.revision not in known:
        raise BackupError(
            f"The backup is of a newer version of the program (revision {header.revision}): restore it with that one."
        )
    present = database_revision()
    with db.engine.connect() as connection:
        holds = snapshot.holds_something(connection)
    if holds and not replace:
        raise BackupError(
            "The database is not empty. Give --replace to replace everything in it, or name another in DATABASE_URL."
        )
    if present == header.revision:
        return holds
    if holds:
        raise BackupError(
            f"The database is at revision {present}, the backup at {header.revision}: such a backup goes into an empty "
            "database, and is brought up to date there."
        )
    _drop_tables()
    upgrade(revision=header.revision)
    return False


def _drop_tables() -> None:
    with process_lock(), db.engine.connect() as plain:
        connection = plain.execution_options(**{WRITES: True})
        with connection.begin():
            found = sa.MetaData()
            found.reflect(connection)
            found.drop_all(connection)


@contextlib.contextmanager
def _loading() -> Iterator[sa.Connection]:
    """Yield a connection in one transaction, which does not look at references before its end."""
    with patient_engine() as engine, process_lock(), engine.connect() as plain:
        connection = plain.execution_options(**{WRITES: True})
        with connection.begin():
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            else:
                connection.exec_driver_sql("SET SESSION foreign_key_checks=0")
            yield connection


class _Loader:
    """Takes a backup into the tables."""

    def __init__(self, connection: sa.Connection, files: uploads.Restoring) -> None:
        self._connection, self._files = connection, files
        self._tables = {table.name: table for table in snapshot.tables_of(connection)}

    def begin(self, header: Header) -> None:  # noqa: ARG002
        """Empty all tables; the audit log too, which nothing but this may."""
        for table in reversed(list(self._tables.values())):
            self._connection.execute(sa.text(f"DELETE FROM {self._quoted(table.name)}"))  # noqa: S608

    def table(self, name: str, columns: rows.Columns) -> None:
        """See that there is such a table with such columns."""
        table = self._tables.get(name)
        wrong = {column for column, _ in columns} ^ (
            set(table.columns.keys()) if table is not None else set()
        )
        if table is None or wrong:
            raise BackupError(
                f"The table {name} of the backup is another one here: {', '.join(sorted(wrong))}. Was the database "
                "changed by hand?"
            )

    def rows(self, name: str, columns: rows.Columns, lines: list[bytes], where: str) -> None:
        """Write rows."""
        values = [rows.from_line(line, columns, where) for line in lines]
        self._connection.execute(sa.insert(rows.bare_table(name, columns)), values)

    def file(self, name: str, pieces: Iterable[bytes]) -> int:
        """Write a file."""
        return self._files.put(name, pieces)

    def check_references(self) -> None:
        """Raise BackupError where a row refers to one that is not there."""
        for table in self._tables.values():
            for constraint in table.foreign_key_constraints:
                other = constraint.referred_table.alias()
                pairs = [(each.parent, other.c[each.column.name]) for each in constraint.elements]
                match = sa.and_(*(ours == theirs for ours, theirs in pairs))
                set_ = sa.and_(*(ours.is_not(None) for ours, _ in pairs))
                lost = (
                    sa.select(table)
                    .where(set_, ~sa.exists().where(match))
                    .with_only_columns(sa.literal(1))
                    .limit(1)
                )
                if self._connection.scalar(lost):
                    raise BackupError(
                        f"Rows of {table.name} refer to {constraint.referred_table.name} that are not there."
                    )

    def _quoted(self, name: str) -> str:
        return self._connection.dialect.identifier_preparer.quote(name)
