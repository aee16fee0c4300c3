"""Changing tables: one process at a time, with rows kept, and so that an interruption does no harm.

On SQLite each migration is one transaction: an interrupted one has left nothing. MySQL commits every change of a table
by itself: an interrupted migration leaves a mark, and when it is run again, what is done already is passed over.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
from collections.abc import Iterator
from typing import Any, Final

import pymysql  # type: ignore[import-untyped]
from sqlalchemy import Connection, Engine, event, inspect, text

from webapp.database.engine import WRITES, patient_engine
from webapp.extensions import db

log = logging.getLogger(__name__)

MARK: Final = "migration_under_way"
WAIT_SECONDS: Final = 1800
# Table, column, key, key, table, foreign key, constraint: there already, or gone already.
# https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
DONE_ALREADY: Final = frozenset({1050, 1060, 1061, 1091, 1051, 1826, 3822})
_INSERT: Final = "INSERT INTO "


class MigrationError(Exception):
    """The tables cannot be changed now; the text says why."""


@contextlib.contextmanager
def exclusively() -> Iterator[None]:
    """Let only one process change tables; others wait here, and find the work done."""
    if db.engine.dialect.name == "sqlite":
        with _file_lock():
            yield
    else:
        with _server_lock():
            yield


def is_interrupted() -> bool:
    """Tell whether a migration has begun and not come to its end."""
    if db.engine.dialect.name == "sqlite":
        return False
    with db.engine.connect() as connection:
        return inspect(connection).has_table(MARK)


@contextlib.contextmanager
def connected() -> Iterator[Connection]:
    """Yield a connection for migrations."""
    with patient_engine() as engine, engine.connect() as plain:
        connection = plain.execution_options(**{WRITES: True})
        if engine.dialect.name == "sqlite":
            with _references_unwatched(connection):
                yield connection
        else:
            with _resumable(engine, connection):
                yield connection


@contextlib.contextmanager
def _references_unwatched(connection: Connection) -> Iterator[None]:
    """Let tables be replaced: SQLite alters one by copying it, and dropping the old one would delete what refers to it."""
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
        lost = driver.execute("PRAGMA foreign_key_check").fetchone()
        if lost is not None:
            raise MigrationError(
                f"Rows of the table {lost[0]} refer to rows of {lost[2]} that are not there."
            )
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


@contextlib.contextmanager
def _resumable(engine: Engine, connection: Connection) -> Iterator[None]:
    """Pass over what an interrupted migration had done; leave a mark unless this one comes to its end."""
    if inspect(connection).has_table(MARK):
        log.warning("a migration was interrupted; it goes on")
        event.listen(engine, "do_execute", _pass_over)
        event.listen(engine, "do_executemany", _ignore_doubles)
    else:
        connection.execute(
            text(f"CREATE TABLE {MARK} (begun_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)")
        )
    connection.commit()
    yield
    connection.execute(text(f"DROP TABLE IF EXISTS {MARK}"))
    connection.commit()


def _pass_over(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
    try:
        cursor.execute(_without_doubles(statement), parameters)
    except pymysql.MySQLError as error:
        if not error.args or error.args[0] not in DONE_ALREADY:
            raise
        log.info("done already", extra={"statement": statement.split("(", maxsplit=1)[0][:200].strip()})
    return True


def _ignore_doubles(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
    cursor.executemany(_without_doubles(statement), parameters)
    return True


def _without_doubles(statement: str) -> str:
    if statement.startswith(_INSERT):
        return "INSERT IGNORE INTO " + statement.removeprefix(_INSERT)
    return statement


@contextlib.contextmanager
def _file_lock() -> Iterator[None]:
    """Hold a lock beside the database's file; the system releases it when the process ends, however it does."""
    path = db.engine.url.database
    if not path or path == ":memory:":
        yield
        return
    lock = sqlite3.connect(f"{path}.migrating", timeout=0, isolation_level=None)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            _tell_of_waiting()
            lock.execute(f"PRAGMA busy_timeout={WAIT_SECONDS * 1000}")
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                raise MigrationError(_TOO_LONG) from None
        yield
    finally:
        lock.close()


@contextlib.contextmanager
def _server_lock() -> Iterator[None]:
    """Hold a lock of the server, which releases it when the connection ends."""
    name = "agent-tools-" + hashlib.sha256(str(db.engine.url.database).encode()).hexdigest()[:32]
    with patient_engine() as engine, engine.connect() as connection:
        take = text("SELECT GET_LOCK(:name, :seconds)")
        if not connection.scalar(take, {"name": name, "seconds": 0}):
            _tell_of_waiting()
            if not connection.scalar(take, {"name": name, "seconds": WAIT_SECONDS}):
                raise MigrationError(_TOO_LONG)
        try:
            yield
        finally:
            with contextlib.suppress(Exception):
                connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})


_TOO_LONG: Final = f"Another process has been changing the tables for more than {WAIT_SECONDS // 60} minutes."


def _tell_of_waiting() -> None:
    log.warning("another process changes the tables; waiting for it")
