"""Rows as lines of JSON that say the same whatever database they come from or go to."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from webapp.backup.errors import BackupError, BrokenBackupError
from webapp.backup.rules import Kind

Columns = list[tuple[str, Kind]]

_WRITE: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.TEXT: str,
    Kind.INTEGER: int,
    Kind.BOOLEAN: bool,
    Kind.MOMENT: lambda value: value.isoformat(timespec="microseconds"),
    Kind.DAY: lambda value: value.isoformat(),
    Kind.DECIMAL: str,
    Kind.FLOAT: float,
    Kind.BYTES: lambda value: base64.b64encode(value).decode(),
}
_READ: Final[dict[Kind, Callable[[Any], Any]]] = {
    **_WRITE,
    Kind.MOMENT: dt.datetime.fromisoformat,
    Kind.DAY: dt.date.fromisoformat,
    Kind.DECIMAL: Decimal,
    Kind.BYTES: lambda text: base64.b64decode(text, validate=True),
}
_TYPES: Final[dict[Kind, sa.types.TypeEngine[Any]]] = {
    Kind.TEXT: sa.Text(),
    Kind.INTEGER: sa.BigInteger(),
    Kind.BOOLEAN: sa.Boolean(),
    Kind.MOMENT: sa.DateTime(),
    Kind.DAY: sa.Date(),
    Kind.DECIMAL: sa.Numeric(38, 10),
    Kind.FLOAT: sa.Float(),
    Kind.BYTES: sa.LargeBinary(),
}
# The first that fits; TINYINT(1) is what MySQL makes of a boolean.
_KINDS: Final[tuple[tuple[type[sa.types.TypeEngine[Any]], Kind], ...]] = (
    (sa.Boolean, Kind.BOOLEAN),
    (mysql.TINYINT, Kind.BOOLEAN),
    (sa.Integer, Kind.INTEGER),
    (sa.DateTime, Kind.MOMENT),
    (sa.Date, Kind.DAY),
    (sa.Float, Kind.FLOAT),
    (sa.Numeric, Kind.DECIMAL),
    (sa.LargeBinary, Kind.BYTES),
    (sa.String, Kind.TEXT),
)


def columns_of(table: sa.Table) -> Columns:
    """Return the columns of a table as the database describes it."""
    return [(column.name, _kind_of(column)) for column in table.columns]


def readable(table: sa.Table) -> sa.TableClause:
    """Return the table with plain types, by which both databases hand out the same values."""
    return bare_table(table.name, columns_of(table))


def bare_table(name: str, columns: Columns) -> sa.TableClause:
    """Return a table by which rows of a backup are written."""
    return sa.table(name, *(sa.column(column, _TYPES[kind]) for column, kind in columns))


def to_line(row: Sequence[Any], columns: Columns) -> bytes:
    """Return a row as one line."""
    values = [
        None if value is None else _WRITE[kind](value) for value, (_, kind) in zip(row, columns, strict=True)
    ]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes, columns: Columns, where: str) -> dict[str, Any]:
    """Return the values of a line by column; raises BrokenBackupError for what no row could be."""
    try:
        values = json.loads(line)
        pairs = zip(values, columns, strict=True)
        return {name: None if value is None else _READ[kind](value) for value, (name, kind) in pairs}
    except (ValueError, TypeError, ArithmeticError):
        raise BrokenBackupError(f"{where} has a line that is no row.") from None


def columns_from(value: Any, where: str) -> Columns:
    """Return the columns that an archive names."""
    try:
        return [(str(name), Kind(kind)) for name, kind in value]
    except (ValueError, TypeError):
        raise BrokenBackupError(f"{where} names columns that cannot be.") from None


def _kind_of(column: sa.Column[Any]) -> Kind:
    for of_type, kind in _KINDS:
        if isinstance(column.type, of_type):
            return kind
    raise BackupError(f"The column {column.table.name}.{column.name} has a type that no backup can hold.")
