"""Write transactions: whole or not at all, one after the other, never locked out."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from tests.people import Person, add_user
from webapp.chat.models import Conversation
from webapp.database import db, write_transaction
from webapp.database.transactions import is_retryable

ROOT = Path(__file__).resolve().parents[2]
PROCESSES, WRITES_EACH = 8, 100


@pytest.fixture
def owner(each_app: Flask) -> Person:
    return add_user(each_app, "lin.yue", "Lin Yue")


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Conversation)) or 0


def test_commits_when_the_function_returns(each_app: Flask, owner: Person) -> None:
    @write_transaction
    def store() -> Conversation:
        conversation = Conversation(user_id=owner.id, title="kept")
        db.session.add(conversation)
        return conversation

    with each_app.app_context():
        assert store().title == "kept"
        db.session.remove()
        assert count() == 1


def test_leaves_nothing_when_the_function_raises(each_app: Flask, owner: Person) -> None:
    @write_transaction
    def store() -> None:
        db.session.add(Conversation(user_id=owner.id, title="gone"))
        db.session.flush()
        raise LookupError

    with each_app.app_context():
        with pytest.raises(LookupError):
            store()
        assert count() == 0


def test_inner_transaction_joins_the_outer(each_app: Flask, owner: Person) -> None:
    @write_transaction
    def inner() -> None:
        db.session.add(Conversation(user_id=owner.id, title="inner"))

    @write_transaction
    def outer() -> None:
        inner()
        raise LookupError

    with each_app.app_context():
        with pytest.raises(LookupError):
            outer()
        assert count() == 0


def test_decides_on_what_is_in_the_database_now(each_app: Flask, owner: Person) -> None:
    """Forty edits of one row in eight threads: none is lost."""
    with each_app.app_context():
        db.session.add(Conversation(user_id=owner.id, title=""))
        db.session.commit()

    @write_transaction
    def append() -> None:
        row = db.session.scalars(select(Conversation).with_for_update()).one()
        row.title += "x"

    def work() -> None:
        for _ in range(5):
            with each_app.app_context():
                db.session.scalars(select(Conversation)).one()
                append()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with each_app.app_context():
        assert db.session.scalars(select(Conversation)).one().title == "x" * 40


def test_times_come_back_aware_and_exact(each_app: Flask, owner: Person) -> None:
    moment = dt.datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    with each_app.app_context():
        db.session.add(Conversation(user_id=owner.id, title="t", deleted_at=moment))
        db.session.commit()
        db.session.remove()
        stored = db.session.scalars(select(Conversation)).one().deleted_at
        assert stored == moment
        assert stored.utcoffset() == dt.timedelta(0)


def test_naive_time_is_refused(each_app: Flask, owner: Person) -> None:
    with each_app.app_context():
        db.session.add(Conversation(user_id=owner.id, title="t", deleted_at=dt.datetime(2026, 1, 1)))
        with pytest.raises(Exception, match="without a zone"):
            db.session.commit()
        db.session.rollback()


def test_only_lock_trouble_is_tried_again() -> None:
    assert is_retryable(OperationalError("", None, Exception(1213, "Deadlock found")))
    assert not is_retryable(OperationalError("", None, Exception("database is locked")))
    assert not is_retryable(OperationalError("", None, Exception(2006, "gone away")))


@pytest.mark.slow
def test_many_processes_write_at_once_without_an_error(instance: Path, app: Flask, user: Person) -> None:
    """FT-15: each transaction reads, then writes; with a plain BEGIN most of them would fail."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.conftest import make_settings\n"
        "from webapp.app import create_app\n"
        "from webapp.chat.models import Conversation\n"
        "from webapp.database import db, write_transaction\n"
        "from sqlalchemy import func, select\n"
        "app = create_app(make_settings(Path(sys.argv[1]), log_level='ERROR'))\n"
        "@write_transaction\n"
        "def step():\n"
        "    number = db.session.scalar(select(func.count()).select_from(Conversation))\n"
        "    db.session.add(Conversation(user_id=int(sys.argv[2]), title=str(number)))\n"
        f"for _ in range({WRITES_EACH}):\n"
        "    with app.app_context():\n"
        "        step()\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(instance), str(user.id)], cwd=ROOT, stderr=subprocess.PIPE
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        _out, errors = process.communicate(timeout=150)
        assert process.returncode == 0, errors.decode()[-2000:]
    with app.app_context():
        titles = db.session.scalars(select(Conversation.title)).all()
        assert sorted(int(title) for title in titles) == list(range(PROCESSES * WRITES_EACH))
