"""Whoever changes the log behind the program's back is found out (O3), and the first entry concerned is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update

from tests.audit.logs import found, sealed, sql, write
from tests.conftest import running
from webapp.audit import sealing, verifying
from webapp.audit.guard import AppendOnlyError
from webapp.audit.models import AuditEntry
from webapp.config import Settings
from webapp.database import db


@pytest.fixture
def inside(each_app: Flask) -> Iterator[Flask]:
    """The application, with its context pushed."""
    with each_app.app_context():
        yield each_app


def test_an_untouched_log_holds(inside: Flask) -> None:
    assert verifying.verify().holds
    sealed(7)
    write(2)
    verdict = verifying.verify()
    assert (verdict.holds, verdict.checked, verdict.unsealed) == (True, 7, 2)
    assert sealing.seal_new() == 2
    assert sealing.seal_new() == 0
    verdict = verifying.verify()
    assert (verdict.first_number, verdict.last_number, verdict.unsealed) == (1, 9, 0)


@pytest.mark.parametrize(
    "column",
    [
        "public_id",
        "event",
        "actor_kind",
        "actor_id",
        "actor_name",
        "target_kind",
        "target_id",
        "target_name",
        "address",
        "request_id",
        "`before`",
        "after",
        "seal",
    ],
)
def test_every_column_is_covered(inside: Flask, column: str) -> None:
    sealed(5)
    sql(f"UPDATE audit_entries SET {column} = 'x' WHERE seal_number = 3")
    assert found() == ("changed", 3)


def test_time_is_covered(inside: Flask) -> None:
    sealed(5)
    sql("UPDATE audit_entries SET created_at = '2020-01-01 00:00:00.000001' WHERE seal_number = 4")
    assert found() == ("changed", 4)


def test_every_column_of_the_table_is_covered() -> None:
    """A column that is added to the table has to be added to the seal."""
    from webapp.audit.chain import COLUMNS

    assert {column.key for column in COLUMNS} == set(AuditEntry.__table__.columns.keys())


def test_removed_entry(inside: Flask) -> None:
    sealed(5)
    sql("DELETE FROM audit_entries WHERE seal_number = 2")
    assert found() == ("removed", 2)


def test_first_entries_removed(inside: Flask) -> None:
    sealed(5)
    sql("DELETE FROM audit_entries WHERE seal_number < 3")
    assert found() == ("removed", 1)


def test_tail_cut_off(inside: Flask) -> None:
    sealed(5)
    sql("DELETE FROM audit_entries WHERE seal_number > 3")
    assert found() == ("cut_off", 4)


def test_everything_removed(inside: Flask) -> None:
    sealed(5)
    sql("DELETE FROM audit_entries")
    assert found() == ("cut_off", 1)


def test_swapped_entries(inside: Flask) -> None:
    sealed(5)
    sql("UPDATE audit_entries SET seal_number = 99 WHERE seal_number = 2")
    sql("UPDATE audit_entries SET seal_number = 2 WHERE seal_number = 4")
    sql("UPDATE audit_entries SET seal_number = 4 WHERE seal_number = 99")
    assert found() == ("changed", 2)


def test_inserted_into_the_chain(inside: Flask) -> None:
    sealed(5)
    for number in (5, 4, 3):
        sql(
            "UPDATE audit_entries SET seal_number = :new WHERE seal_number = :old", new=number + 1, old=number
        )
    insert_copy("3", "seal")
    sql("UPDATE audit_chain SET last_number = 6")
    assert found() == ("chain", None)
    sql("UPDATE audit_chain SET last_number = 5")
    assert found() == ("changed", 3)


def test_appended_behind_the_end(inside: Flask) -> None:
    sealed(5)
    insert_copy("6", "seal")
    assert found() == ("foreign", 6)


def test_inserted_as_if_it_were_new_is_named_and_never_sealed(inside: Flask) -> None:
    sealed(5)
    insert_copy("NULL", "seal")
    write(1)
    assert sealing.seal_new() == 1
    assert found() == ("foreign", None)


def test_changed_before_it_was_sealed(inside: Flask) -> None:
    sealed(2)
    write(3)
    sql(
        "UPDATE audit_entries SET actor_name = 'nobody' WHERE id = (SELECT * FROM (SELECT max(id) FROM audit_entries) x)"
    )
    verdict = verifying.verify()
    assert verdict.fault is not None
    assert (
        verdict.fault.public_id
        == db.session.scalars(select(AuditEntry.public_id).order_by(AuditEntry.id.desc())).first()
    )


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_chain SET last_number = 3, last_seal = (SELECT seal FROM audit_entries WHERE seal_number = 3)",
        "UPDATE audit_chain SET first_number = 2, first_seal = (SELECT seal FROM audit_entries WHERE seal_number = 2)",
        "UPDATE audit_chain SET signature = ''",
        "DELETE FROM audit_chain",
    ],
)
def test_the_chain_s_own_row(inside: Flask, change: str) -> None:
    """Nobody can move the chain's beginning or end to hide what they removed, and nothing is sealed over it."""
    sealed(5)
    sql(change)
    assert found() == ("chain", None)
    write(1)
    assert sealing.seal_new() == 0


def test_another_key_does_not_fit(each_app: Flask, settings: Settings) -> None:
    with each_app.app_context():
        sealed(3)
        url = each_app.config["SQLALCHEMY_DATABASE_URI"]
    old = settings.secret_key
    changed = settings.model_copy(update={"secret_key": type(old)("n" * 60), "database_url": url})
    for other in running(changed):
        with other.app_context():
            assert found() == ("chain", None)
    for other in running(changed.model_copy(update={"audit_key": old})):
        with other.app_context():
            assert found() == (None, None)


def test_the_application_itself_cannot_change_the_log(inside: Flask) -> None:
    sealed(3)
    entry = db.session.scalars(select(AuditEntry)).first()
    assert entry is not None
    entry.actor_name = "nobody"
    with pytest.raises(AppendOnlyError):
        db.session.commit()
    db.session.rollback()
    db.session.delete(entry)
    with pytest.raises(AppendOnlyError):
        db.session.commit()
    db.session.rollback()
    table = AuditEntry.__table__
    for statement in (update(AuditEntry).values(address="x"), delete(AuditEntry), delete(table)):
        with pytest.raises(AppendOnlyError):
            db.session.execute(statement)
        db.session.rollback()
    assert found() == (None, None)


def test_a_long_chain_is_followed_in_pieces_when_time_is_short(inside: Flask) -> None:
    sealed(verifying.BATCH + 20)
    sql("UPDATE audit_entries SET actor_name = 'x' WHERE seal_number = :number", number=verifying.BATCH + 5)
    first = verifying.verify(seconds=-1)
    assert (first.holds, first.checked, first.next_number) == (True, verifying.BATCH, verifying.BATCH + 1)
    second = verifying.verify(start=first.next_number, seconds=-1)
    assert second.fault is not None
    assert second.fault.number == verifying.BATCH + 5


def test_going_on_from_a_number(inside: Flask) -> None:
    sealed(6)
    assert verifying.verify(start=4).checked == 3
    sql("UPDATE audit_entries SET actor_name = 'x' WHERE seal_number = 2")
    assert verifying.verify(start=4).holds
    assert not verifying.verify(start=2).holds


def test_command(inside: Flask) -> None:
    sealed(3)
    runner = inside.test_cli_runner()
    done = runner.invoke(args=["audit", "verify"])
    assert done.exit_code == 0, done.output
    assert "3 sealed entries were looked at" in done.output
    sql("DELETE FROM audit_entries WHERE seal_number = 2")
    done = runner.invoke(args=["audit", "verify"])
    assert done.exit_code == 1
    assert "no. 2 was removed" in done.output
    assert db.session.scalar(text("SELECT count(*) FROM audit_entries WHERE event = 'audit:verified'")) == 2


def insert_copy(number: str, seal: str) -> None:
    """Insert a copy of the first entry, as one who can write to the table but has no key."""
    told = "event, actor_kind, actor_id, actor_name, target_kind, target_id, target_name, address, request_id"
    sql(
        f"INSERT INTO audit_entries (public_id, {told}, `before`, after, created_at, seal_number, seal) "
        f"SELECT 'copied', {told}, `before`, after, created_at, {number}, {seal} FROM audit_entries "
        "ORDER BY id LIMIT 1"
    )
