"""Write transactions: one use case, one commit.

On SQLite one process-wide lock is held around each of them. Without it a handler that yields to the event loop
inside an open write transaction would let another one wait in SQLite itself, and the whole process with it.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import Flask, current_app
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from webapp import metrics
from webapp.database.engine import WRITES
from webapp.extensions import db

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS: Final = 4
# MySQL: 1205 lock wait time-out, 1213 deadlock; https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
RETRYABLE_MYSQL: Final = frozenset({1205, 1213})
_JOINED: Final = "write_transaction"
_COMMITTING: Final = "write_transaction_commits"
_AFTERWARDS: Final = "after_commit"


def init_app(app: Flask) -> None:
    """Make the lock; it must be made after gevent patched the standard library, so not on import."""
    app.extensions["write_lock"] = threading.RLock()
    app.teardown_appcontext(lambda _error: release_session())


def write_transaction(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function as one transaction that commits when it returns and leaves nothing when it raises.

    Used inside another one it joins that. Objects read earlier are read again, so that the function decides on
    what is in the database now. A deadlock, a lock time-out or a lost connection runs the whole function again: it
    must have no effect outside the database. Not so a connection that was lost at the commit, whose outcome is unknown.
    """

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        if db.session.info.get(_JOINED):
            return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with _transaction():
                    return function(*args, **kwargs)
            except DBAPIError as error:
                lost = error.connection_invalidated and not db.session.info.get(_COMMITTING)
                if attempt == ATTEMPTS or not (is_retryable(error) or lost):
                    raise
                metrics.count("database_retries_total")
                time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311
        raise AssertionError("unreachable")

    return inside


def release_session() -> None:
    """Give the session's connection back; one that is lost cannot even be rolled back, which is no further failure."""
    try:
        db.session.remove()
    except SQLAlchemyError:
        with contextlib.suppress(SQLAlchemyError):
            db.session().invalidate()
        db.session.registry.clear()


def after_commit(act: Callable[[], object]) -> None:
    """Do this once the transaction at hand has committed, not where it does not; outside of one, at once."""
    if not db.session.info.get(_JOINED):
        act()
        return
    db.session.info.setdefault(_AFTERWARDS, []).append(act)


@contextlib.contextmanager
def process_lock() -> Iterator[None]:
    """Hold the process-wide write lock where the database needs it."""
    if db.engine.dialect.name == "sqlite":
        with current_app.extensions["write_lock"]:
            yield
    else:
        yield


def is_retryable(error: DBAPIError) -> bool:
    """Tell whether the whole transaction may succeed when it is run again.

    Not where SQLite's lock is held by another program: SQLite itself has waited for it, long enough for a person.
    """
    if not isinstance(error, OperationalError):
        return False
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    return bool(arguments) and arguments[0] in RETRYABLE_MYSQL


@contextlib.contextmanager
def _transaction() -> Iterator[None]:
    session = db.session()
    session.rollback()
    with process_lock():
        session.info[_JOINED], session.info[_COMMITTING] = True, False
        try:
            session.connection(execution_options={WRITES: True})
            yield
            session.flush()
            session.info[_COMMITTING] = True
            session.commit()
        except BaseException:
            with contextlib.suppress(DBAPIError):  # of a lost connection: what led here is what counts
                session.rollback()
            raise
        finally:
            session.info.pop(_JOINED, None)
            afterwards = session.info.pop(_AFTERWARDS, [])
    for act in afterwards:
        act()
