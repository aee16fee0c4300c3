"""FT-14: many at one row: deadlocks, lock waits, parallel questions and edits; and what the tables are made of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pymysql
import pytest
import sqlalchemy as sa
from flask import Flask

from tests.chat.waiting import ask, post, wait_for_end
from tests.conftest import running
from tests.people import add_user, sign_in
from tests.processes import wait_for
from tests.services import MariaDB
from webapp.chat.models import Conversation, Message
from webapp.config import Settings
from webapp.database import db, write_transaction
from webapp.database.engine import MYSQL_LOCK_WAIT_SECONDS


def together(number: int, act: Callable[[int], object]) -> list[object]:
    """Do something so often at once; return what came of it."""
    results: list[object] = []
    barrier = threading.Barrier(number)

    def run(each: int) -> None:
        barrier.wait()
        results.append(act(each))

    threads = [threading.Thread(target=run, args=(each,)) for each in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return results


@pytest.fixture
def on_mariadb(mariadb_migrated: str, settings: Settings) -> Iterator[Flask]:
    """An application on MariaDB."""
    yield from running(settings.model_copy(update={"database_url": mariadb_migrated}))


def conversations(app: Flask, number: int) -> list[int]:
    user = add_user(app, "lin.yue", "Lin Yue")
    with app.app_context():
        rows = [Conversation(user_id=user.id, title=f"{each}") for each in range(number)]
        db.session.add_all(rows)
        db.session.commit()
        return [row.id for row in rows]


def lock(conversation_id: int) -> Conversation:
    return db.session.get_one(Conversation, conversation_id, with_for_update=True)


@pytest.mark.mariadb
def test_a_deadlock_is_tried_again(on_mariadb: Flask) -> None:
    first, second = conversations(on_mariadb, 2)
    meeting = threading.Barrier(2)
    attempts: list[int] = []

    @write_transaction
    def cross(number: int, one: int, other: int) -> None:
        attempts.append(number)
        lock(one).title = f"first of {number}"
        db.session.flush()
        if attempts.count(number) == 1:
            meeting.wait(30)
        lock(other).title = f"second of {number}"

    def act(number: int) -> None:
        with on_mariadb.app_context():
            cross(number, *((first, second) if number else (second, first)))

    together(2, act)
    assert sorted(attempts) in ([0, 0, 1], [0, 1, 1]), "one of them was the victim"
    with on_mariadb.app_context():
        titles = {db.session.get_one(Conversation, each).title for each in (first, second)}
    assert titles in ({"first of 0", "second of 0"}, {"first of 1", "second of 1"})


@pytest.mark.mariadb
def test_a_lock_that_is_held_is_waited_for_and_tried_again(on_mariadb: Flask, mariadb: MariaDB) -> None:
    assert MYSQL_LOCK_WAIT_SECONDS <= 5
    (only,) = conversations(on_mariadb, 1)
    attempts: list[None] = []

    @write_transaction
    def rename() -> None:
        attempts.append(None)
        lock(only).title = "renamed"

    def act() -> None:
        with on_mariadb.app_context():
            rename()

    database = sa.make_url(on_mariadb.config["SQLALCHEMY_DATABASE_URI"]).database
    thread = threading.Thread(target=act)
    with pymysql.connect(host="127.0.0.1", port=mariadb.port, user="root", database=database) as holder:
        holder.cursor().execute("SELECT id FROM conversations WHERE id = %s FOR UPDATE", (only,))
        thread.start()
        wait_for(lambda: len(attempts) == 2)
        holder.rollback()
    thread.join(60)
    with on_mariadb.app_context():
        assert db.session.get_one(Conversation, only).title == "renamed"


@pytest.mark.mariadb
def test_a_connection_that_is_lost_in_a_transaction_starts_it_again(
    on_mariadb: Flask, mariadb: MariaDB
) -> None:
    """FT-13: the whole of it, so that there is never half a write."""
    first, second = conversations(on_mariadb, 2)
    attempts: list[None] = []

    @write_transaction
    def rename() -> None:
        attempts.append(None)
        lock(first).title = f"attempt {len(attempts)}"
        db.session.flush()
        if len(attempts) == 1:
            number = db.session.scalar(sa.text("SELECT CONNECTION_ID()"))
            mariadb.execute(f"KILL {number}")
        lock(second).title = f"attempt {len(attempts)}"

    with on_mariadb.app_context():
        rename()
        db.session.rollback()
        assert {each.title for each in db.session.scalars(sa.select(Conversation))} == {"attempt 2"}


def test_fifty_questions_at_once_all_have_their_place(each_app: Flask) -> None:
    """Each is refused while another answer is being written, comes again, and is stored once."""
    user = add_user(each_app, "lin.yue", "Lin Yue")
    visitor = sign_in(each_app, user)
    sent = ask(visitor, model="scripted-echo")
    wait_for_end(visitor, sent["answer"])
    visitors = [sign_in(each_app, user) for _ in range(10)]

    def send(number: int) -> int:
        refused = 0
        for each in range(5):
            fields = {"text": f"question {number}-{each}", "conversation": sent["conversation"]}
            while post(visitors[number], "/chat/messages", **fields).status_code != 200:
                refused += 1
        return refused

    together(10, send)
    with each_app.app_context():
        rows = db.session.execute(
            sa.select(Message.position, Message.role, Message.text).order_by(Message.position)
        ).all()
    assert [row.position for row in rows] == list(range(2 + 2 * 50))
    assert [row.role for row in rows] == ["user", "assistant"] * 51
    asked = {row.text for row in rows if row.text.startswith("question")}
    assert {f"question {number}-{each}" for number in range(10) for each in range(5)} <= asked


def test_twenty_edits_of_one_title_at_once(each_app: Flask) -> None:
    user = add_user(each_app, "lin.yue", "Lin Yue")
    visitors = [sign_in(each_app, user) for _ in range(20)]
    sent = ask(visitors[0], model="scripted-echo")
    path = f"/chat/{sent['conversation']}/rename"
    found = together(20, lambda number: post(visitors[number], path, title=f"Title {number}").status_code)
    assert set(found) <= {200, 303}
    with each_app.app_context():
        assert db.session.scalars(sa.select(Conversation.title)).one() in {f"Title {n}" for n in range(20)}
    wait_for_end(visitors[0], sent["answer"])


@pytest.mark.mariadb
def test_every_table_is_made_as_it_was_meant(mariadb: MariaDB, mariadb_tables: str) -> None:
    """No text that ends at 64 KB, no character set but utf8mb4, no collation that nobody chose."""
    name = sa.make_url(mariadb_tables).database
    columns = mariadb.rows(
        "SELECT table_name, column_name, data_type, character_set_name, collation_name "
        f"FROM information_schema.columns WHERE table_schema = '{name}' AND character_set_name IS NOT NULL"
    )
    assert len(columns) > 100
    assert {column[3] for column in columns} == {"utf8mb4"}
    assert not [column for column in columns if column[2] in {"text", "mediumtext", "tinytext"}]
    collations = {(column[0], column[1]): column[4] for column in columns}
    assert set(collations.values()) == {"utf8mb4_bin", "utf8mb4_general_ci"}, "ours, and the database's own"
    unique = mariadb.rows(
        "SELECT table_name, column_name FROM information_schema.statistics "
        f"WHERE table_schema = '{name}' AND non_unique = 0"
    )
    loose = {each for each in unique if collations.get(each, "utf8mb4_bin") != "utf8mb4_bin"}
    ours = {"realm", "kind", "version_num", "source"}  # words of the program's own
    assert not {each for each in loose if each[1] not in ours}, (
        "what is unique is compared byte for byte, as on SQLite"
    )
    engines = mariadb.rows(
        f"SELECT DISTINCT engine FROM information_schema.tables WHERE table_schema = '{name}'"
    )
    assert engines == [("InnoDB",)]
