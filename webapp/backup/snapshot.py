"""One moment of the database, read while others go on writing."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from webapp.backup import rows, rules
from webapp.database import migrating
from webapp.database.engine import patient_engine

OF_MIGRATIONS: Final = frozenset({"alembic_version", migrating.MARK})
SEND_SECONDS: Final = 600  # MySQL ends a reader that takes its rows too slowly; compressing is slow


@dataclass(slots=True)
class TableDump:
    """A table of the snapshot; `rows` and `digest` are right once all parts were taken."""

    name: str
    columns: rows.Columns
    _connection: sa.Connection
    _query: sa.Select[Any]
    rows: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    def parts(self) -> Iterator[bytes]:
        """Yield the rows in the order of the primary key, as parts of bounded size."""
        part = bytearray()
        streamed = self._connection.execution_options(yield_per=rules.FETCHED_ROWS).execute(self._query)
        with streamed as found:
            for row in found:
                line = rows.to_line(row, self.columns)
                self._digest.update(line)
                self.rows += 1
                part += line
                if len(part) >= rules.PART_BYTES:
                    yield bytes(part)
                    part.clear()
        if part:
            yield bytes(part)

    @property
    def digest(self) -> str:
        """The sum over all lines."""
        return str(self._digest.hexdigest())


@dataclass(slots=True)
class Snapshot:
    """The tables as they were at one moment."""

    revision: str
    dialect: str
    _connection: sa.Connection
    _tables: list[sa.Table]

    def tables(self) -> Iterator[TableDump]:
        """Yield the tables, those first that others refer to."""
        for table in self._tables:
            plain = rows.readable(table)
            order = [plain.c[column.name] for column in table.primary_key.columns]
            query = sa.select(*plain.c).order_by(*order)
            yield TableDump(table.name, rows.columns_of(table), self._connection, query)


@contextlib.contextmanager
def taken() -> Iterator[Snapshot | None]:
    """Take a snapshot that lasts as long as the block; None where the database has no tables of ours yet."""
    with patient_engine() as engine, engine.connect() as plain:
        connection = plain
        if plain.dialect.name == "sqlite":
            connection.execute(
                sa.text("SELECT count(*) FROM sqlite_master")
            )  # the first read fixes the moment
        else:
            connection = plain.execution_options(isolation_level="REPEATABLE READ")
            connection.exec_driver_sql(f"SET SESSION net_write_timeout={SEND_SECONDS}")
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        revision = MigrationContext.configure(connection).get_current_revision()
        if revision is None:
            yield None
        else:
            yield Snapshot(revision, connection.dialect.name, connection, tables_of(connection))
        connection.rollback()


def tables_of(connection: sa.Connection) -> list[sa.Table]:
    """Return the tables as the database itself describes them, whatever revision it has."""
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name not in OF_MIGRATIONS]


def holds_something(connection: sa.Connection) -> bool:
    """Tell whether there is anything in the database that somebody would miss."""
    names = {table.name for table in tables_of(connection)}
    return any(
        connection.scalar(sa.select(sa.exists().select_from(sa.table(name))))
        for name in rules.PRECIOUS
        if name in names
    )
