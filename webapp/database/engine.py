"""How connections behave on SQLite and on MySQL or MariaDB."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from flask import Flask
from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError

from webapp import metrics
from webapp.extensions import db
from webapp.lib import offload

SQLITE_BUSY_TIMEOUT_SECONDS: Final = 5
MYSQL_LOCK_WAIT_SECONDS: Final = 3
MYSQL_CONNECT_TIMEOUT_SECONDS: Final = 2
MYSQL_RECYCLE_SECONDS: Final = 280
MYSQL_ANSWER_SECONDS: Final = 2  # of a server that is greeted or asked whether it is there
MYSQL_QUERY_SECONDS: Final = 30
PATIENCE_SECONDS: Final = 6 * 3600  # the longest single statement of a migration or a restore
WRITES: Final = "agent_tools_writes"
LONG_READ: Final = "agent_tools_long_read"  # marks a query that reads many rows


class OffloadedConnection(sqlite3.Connection):
    """A SQLite connection whose waits, for the write lock and for the disk, do not hold the event loop."""

    writing = False

    def begin(self, *, writes: bool) -> None:
        """Begin a transaction; a writing one takes the lock at once, so that it can never fail half-way."""
        self.writing = writes
        if writes:
            offload.run(self.execute, "BEGIN IMMEDIATE")
        else:
            self.execute("BEGIN")

    def commit(self) -> None:
        """Commit; a writing transaction waits for the disk."""
        if self.writing and self.in_transaction:
            offload.run(super().commit)
        else:
            super().commit()


def engine_options(uri: str) -> dict[str, Any]:
    """Return the SQLAlchemy engine options that suit the database of the URL."""
    if uri.startswith("sqlite"):
        return {
            "connect_args": {
                "factory": OffloadedConnection,
                "check_same_thread": False,
                "timeout": SQLITE_BUSY_TIMEOUT_SECONDS,
                "isolation_level": None,
            },
            "pool_size": 20,
            "max_overflow": 40,
            "pool_timeout": 3,
        }
    return {
        "pool_pre_ping": True,
        "pool_recycle": MYSQL_RECYCLE_SECONDS,
        "pool_size": 10,
        "max_overflow": 20,
        "pool_timeout": 3,
        "isolation_level": "READ COMMITTED",
        "connect_args": {
            "charset": "utf8mb4",
            "connect_timeout": MYSQL_CONNECT_TIMEOUT_SECONDS,
            "read_timeout": MYSQL_ANSWER_SECONDS,
            "write_timeout": MYSQL_ANSWER_SECONDS,
            "init_command": f"SET SESSION innodb_lock_wait_timeout={MYSQL_LOCK_WAIT_SECONDS}, time_zone='+00:00'",
        },
    }


@contextlib.contextmanager
def patient_engine() -> Iterator[Engine]:
    """Yield an engine whose statements may take as long as they need: for backups and migrations, not for pages."""
    if db.engine.dialect.name == "sqlite":
        yield db.engine
        return
    options = engine_options(str(db.engine.url))
    arguments = {
        **options["connect_args"],
        "read_timeout": PATIENCE_SECONDS,
        "write_timeout": PATIENCE_SECONDS,
    }
    engine = create_engine(
        db.engine.url, poolclass=NullPool, isolation_level=options["isolation_level"], connect_args=arguments
    )
    try:
        yield engine
    finally:
        engine.dispose()


def init_engine(app: Flask, engine: Engine) -> None:
    """Attach the behaviour that has to be set on each connection, and what is counted."""
    event.listen(engine, "handle_error", _count_error)
    pool: Any = engine.pool
    if hasattr(pool, "checkedout"):
        metrics.add_sampler(app, lambda: metrics.gauge("database_connections_in_use", pool.checkedout()))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "do_execute", _read_long)
    else:
        event.listen(engine, "connect", _allow_queries)
        engine.dialect.do_ping = _ping  # type: ignore[method-assign,assignment]


def _allow_queries(connection: Any, _record: object) -> None:
    """Give queries their time: a server that does not even greet was given up sooner."""
    connection._read_timeout = connection._write_timeout = MYSQL_QUERY_SECONDS  # noqa: SLF001


def _ping(connection: Any) -> bool:
    """Ask a pooled connection whether its server still is there; one that is silent gets as long as a new one."""
    connection._read_timeout = MYSQL_ANSWER_SECONDS  # noqa: SLF001
    try:
        connection.ping(reconnect=False)
    finally:
        connection._read_timeout = MYSQL_QUERY_SECONDS  # noqa: SLF001
    return True


def _count_error(context: ExceptionContext) -> None:
    error = context.sqlalchemy_exception or context.original_exception
    metrics.count("database_errors_total", error=type(error).__name__)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-16000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Begin; SQLAlchemy does not turn what a listener raises into an error of its own kind."""
    driver: Any = connection.connection.driver_connection
    try:
        driver.begin(writes=bool(connection.get_execution_options().get(WRITES)))
    except sqlite3.Error as error:
        raise OperationalError("BEGIN", None, error) from error


def _read_long(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Let a query that is marked as long read outside of the event loop; SQLite computes where it is called."""
    if not context.execution_options.get(LONG_READ):
        return False
    offload.run(cursor.execute, statement, parameters)
    return True
