"""Changing the keys of secrets in the database: every secret is sealed anew with the first key, piece by piece.

Can be stopped and started again at any point: old keys go on opening what is not done yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Column, Text, select, type_coerce, update

from webapp.database.sealed import keys_in_force, sealed_columns, unseal
from webapp.database.transactions import write_transaction
from webapp.extensions import db

BATCH: Final = 100


@dataclass(slots=True)
class Standing:
    """How many secrets there are: under the first key, under an older one, and under none that is in force."""

    current: int = 0
    old: int = 0
    lost: int = 0


def standing() -> Standing:
    """Return how the secrets stand; changes nothing."""
    found, newest = Standing(), Fernet(keys_in_force()[0])
    for column in sealed_columns():
        for rows in _batches(column):
            for _key, sealed in rows:
                if _opens(newest, sealed):
                    found.current += 1
                elif unseal(sealed) is None:
                    found.lost += 1
                else:
                    found.old += 1
    return found


def seal_anew() -> int:
    """Seal every secret with the first key that is not yet, and return how many; each piece is a transaction.

    Goes over everything until nothing is left to do, since others may write meanwhile.
    """
    done = 0
    while changed := sum(_seal_column(column) for column in sealed_columns()):
        done += changed
    return done


def _seal_column(column: Column[str]) -> int:
    newest, done = Fernet(keys_in_force()[0]), 0
    for rows in _batches(column):
        old = [(key, sealed) for key, sealed in rows if not _opens(newest, sealed)]
        if old:
            done += _seal_rows(column, old)
    return done


@write_transaction
def _seal_rows(column: Column[str], rows: list[tuple[Any, str]]) -> int:
    """Write these secrets anew, unless somebody else has changed them since they were read."""
    key, done = _key_of(column), 0
    for value, sealed in rows:
        text = unseal(sealed)
        if text is not None:
            unchanged = (key == value) & (type_coerce(column, Text) == sealed)
            statement = update(column.table).where(unchanged).values({column: text})
            done += db.session.connection().execute(statement).rowcount
    return done


def _batches(column: Column[str]) -> Iterator[list[tuple[Any, str]]]:
    """Yield key and ciphertext of every secret in a column, so many rows at a time."""
    key, last = _key_of(column), None
    while True:
        query = select(key, type_coerce(column, Text)).where(column.is_not(None)).order_by(key).limit(BATCH)
        db.session.rollback()
        rows = [
            (row[0], row[1]) for row in db.session.execute(query if last is None else query.where(key > last))
        ]
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _key_of(column: Column[str]) -> Column[Any]:
    (key,) = column.table.primary_key.columns
    return key


def _opens(fernet: Fernet, sealed: str) -> bool:
    try:
        fernet.decrypt(sealed.encode())
    except (InvalidToken, ValueError):
        return False
    return True
