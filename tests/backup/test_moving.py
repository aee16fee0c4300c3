"""Moving: the same rows in SQLite and in MariaDB, whatever way they went; what is refused, and what is made new."""

from __future__ import annotations

import json
import random
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from tests.backup.deployments import Deployment, call
from tests.people import PASSWORD, Person, add_user, sign_in
from tests.tasks.pages import add, tick_until
from tests.whole.test_migrations import REVISIONS, fill
from webapp.audit import sealing, verifying
from webapp.audit import service as audit
from webapp.backup import files, service
from webapp.backup.rules import Reason
from webapp.config import current_settings, deployment_settings
from webapp.database import db
from webapp.database.revisions import database_revision, head_revision
from webapp.settings import service as settings_service
from webapp.tasks.models import TaskRun


@pytest.fixture
def here(instance: Path) -> Deployment:
    """A deployment on SQLite, its tables up to date."""
    return Deployment(instance)


@pytest.fixture
def there(tmp_path: Path) -> Deployment:
    """Another one on SQLite, which has nothing yet."""
    (tmp_path / "there").mkdir()
    return Deployment(tmp_path / "there")


def manifest_of(path: Path) -> dict[str, Any]:
    with tarfile.open(path) as tar:
        file = tar.extractfile("manifest.json")
        assert file is not None
        return json.loads(file.read())  # type: ignore[no-any-return]


@pytest.mark.mariadb
def test_every_table_is_the_same_after_a_journey_through_both(
    here: Deployment, there: Deployment, tmp_path: Path, mariadb_empty: str
) -> None:
    """A row in each table, with marks of many kinds, from SQLite to MariaDB and back: equal sums of all lines."""
    middle = Deployment(tmp_path / "middle", mariadb_empty)
    first, second, third = (tmp_path / f"{name}.tar.gz" for name in ("first", "second", "third"))
    with here.open() as app, app.app_context():
        fill(db.engine)
        with db.engine.begin() as connection:
            odd = "林\u2028🌙'\"\\\r\n\t" + "x" * 200_000
            connection.execute(sa.text("UPDATE messages SET text = :odd"), {"odd": odd})
        assert call(app, "create", str(first))[0] == 0
    for deployment, source, target in ((middle, first, second), (there, second, third)):
        deployment.take_keys(here)
        with deployment.bare() as app:
            code, output = call(app, "restore", "--replace", str(source))
            assert code == 0, output
            assert call(app, "create", str(target))[0] == 0
            with app.app_context(), db.engine.connect() as connection:
                last = connection.scalar(sa.text("SELECT text FROM messages"))
                assert last == odd
    tables = [manifest_of(path)["tables"] for path in (first, second, third)]
    for each in tables:
        del each["audit_entries"]  # restoring and backing up add to it
    assert tables[0] == tables[1] == tables[2]
    assert all(each["rows"] == 1 for each in tables[0].values())


@pytest.mark.parametrize("revision", [REVISIONS[0], REVISIONS[5]])
def test_a_backup_of_an_older_version_is_brought_up_to_date(
    tmp_path: Path, there: Deployment, revision: str
) -> None:
    old = Deployment(tmp_path / "old")
    path = tmp_path / "old.tar.gz"
    with old.bare() as app, app.app_context():
        upgrade(revision=revision)
        fill(db.engine)
        assert call(app, "create", str(path))[0] == 0
    there.take_keys(old)
    with there.bare() as app, app.app_context():
        code, output = call(app, "restore", str(path))
        assert code == 0, output
        assert database_revision() == head_revision()
        assert db.session.scalar(sa.text("SELECT count(*) FROM users")) == 1
        code, output = call(app, "restore", "--replace", str(path))
        assert (code, "goes into an empty database" in output) == (1, True), output


def test_a_backup_of_a_newer_version_is_refused(here: Deployment, there: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "new.tar.gz"
    with here.open() as app:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        assert call(app, "create", str(path))[0] == 0
    with there.bare() as app:
        code, output = call(app, "restore", str(path))
        assert (code, "newer version of the program (revision 9999)" in output) == (1, True), output


def test_a_database_that_holds_something_is_not_overwritten_unasked(here: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "one.tar.gz"
    pictures = here.folder / "uploads" / "avatars"
    pictures.mkdir(parents=True)
    (pictures / "old.webp").write_bytes(b"old")
    with here.open() as app:
        add_user(app, "lin.yue", "Lin Yue")
        assert call(app, "create", str(path))[0] == 0
        add_user(app, "wang.wei", "Wang Wei")
        (pictures / "new.webp").write_bytes(b"new")
        (pictures / "old.webp").unlink()
        code, output = call(app, "restore", str(path))
        assert (code, "The database is not empty." in output) == (1, True), output
        with app.app_context():
            assert db.session.scalar(sa.text("SELECT count(*) FROM users")) == 2
        code, output = call(app, "restore", "--replace", str(path))
        assert code == 0, output
        with app.app_context():
            db.session.remove()
            assert db.session.scalars(sa.text("SELECT username FROM users")).all() == ["lin.yue"]
            sealing.seal_new()
            assert verifying.verify().holds
        assert [each.name for each in pictures.iterdir()] == ["old.webp"]


def test_rows_that_refer_to_nothing_are_refused_whole(here: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "one.tar.gz"
    with here.open() as app, app.app_context():
        add_user(app, "lin.yue", "Lin Yue")
        with closing(sqlite3.connect(here.folder / "agent-tools.db")) as connection, connection:
            connection.execute("INSERT INTO user_words (word, user_id) VALUES ('gone', 4711)")
        assert call(app, "create", str(path))[0] == 0
        code, output = call(app, "restore", "--replace", str(path))
        assert (code, "Rows of user_words refer to users that are not there." in output) == (1, True), output
        assert db.session.scalar(sa.text("SELECT count(*) FROM users")) == 1


def test_keys_travel_only_when_asked_for(here: Deployment, there: Deployment, tmp_path: Path) -> None:
    """To a machine that has nothing: with its keys the backup is all that is needed; without them it says what is."""
    path, phrase = tmp_path / "one.enc", tmp_path / "phrase"
    phrase.write_text("correct horse battery staple")
    extra = ["--passphrase-file", str(phrase)]
    with here.open() as app:
        add_user(app, "lin.yue", "Lin Yue")
        with app.app_context():
            settings_service.change(audit.SYSTEM, {"zhipuai_api_key": "id.secret"})
            sealing.seal_new()
        assert call(app, "create", str(path), *extra, "--with-keys")[0] == 0
    with there.bare(secret_key="another-key-" + "z" * 40) as app:
        code, output = call(app, "restore", str(path), *extra)
        assert code == 0, output
        assert "Secrets in the backup are sealed with keys this deployment has not" in output
        assert "set AUDIT_KEY" in output
        code, output = call(app, "restore", "--replace", str(path), *extra, "--with-keys")
        assert code == 0, output
        with app.app_context():
            assert deployment_settings().secret_key.get_secret_value().startswith("test-key-")
            assert verifying.verify().holds
    assert (there.folder / "encryption_keys").read_text() == (here.folder / "encryption_keys").read_text()
    assert (there.folder / "encryption_keys.before-restore").exists()
    with there.open() as app:
        assert sign_in(app, Person(1, "", "lin.yue", "", PASSWORD)).get("/chat").status_code == 200
        with app.app_context():
            settings_service.current_overlay().forget()
            assert current_settings().zhipuai_api_key.get_secret_value() == "id.secret"


def test_a_full_disk_leaves_no_half_file(here: Deployment, tmp_path: Path) -> None:
    """The system lets no file grow beyond some blocks: the command says so, and nothing has the name of a backup."""
    pictures = here.folder / "uploads" / "avatars"
    pictures.mkdir(parents=True)
    (pictures / "large.webp").write_bytes(random.Random(1).randbytes(3_000_000))
    folder = tmp_path / "backups"
    narrow = ("sh", "-c", 'ulimit -f 2000; exec "$@"', "sh")  # 1 or 2 MB
    done = here.flask("backup", "create", prefix=narrow, BACKUP_PATH=str(folder), PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 1, done.stderr
    assert "The backup could not be written: File too large." in done.stderr
    assert list(folder.iterdir()) == []


def test_old_backups_go_and_those_made_by_hand_stay(here: Deployment) -> None:
    with here.open(backup_keep=2) as app:
        add_user(app, "lin.yue", "Lin Yue")
        assert call(app, "create")[0] == 0
        with app.app_context():
            made = [service.create(Reason.SCHEDULED).path for _ in range(4)]
            left = [each.path for each in files.stored()]
        assert len(left) == 3
        assert sum(path in left for path in made) == 2
        code, output = call(app, "list")
        assert code == 0
        assert [line.split("\t")[1] for line in output.splitlines()].count("manual") == 1


@pytest.mark.slow
def test_a_migration_is_preceded_by_a_backup(tmp_path: Path, there: Deployment) -> None:
    """`flask db upgrade` saves what is there first, at the revision it has; an empty database needs none."""
    done = there.flask("db", "upgrade", REVISIONS[-3])
    assert done.returncode == 0, done.stderr
    assert not (there.folder / "backups").exists()
    with there.bare() as app, app.app_context():
        fill(db.engine)
    done = there.flask("db", "upgrade", BACKUP_BEFORE_MIGRATION="false")
    assert done.returncode == 0, done.stderr
    assert there.flask("db", "downgrade", REVISIONS[-3]).returncode == 0
    (path,) = (there.folder / "backups").iterdir()
    assert "-migration-" in path.name
    assert there.flask("db", "upgrade").returncode == 0
    restored = Deployment(tmp_path / "restored")
    restored.take_keys(there)
    assert len(list((there.folder / "backups").iterdir())) == 2
    done = restored.flask("backup", "restore", str(path))
    assert done.returncode == 0, done.stderr
    with restored.bare() as app, app.app_context():
        assert database_revision() == head_revision()
        assert db.session.scalar(sa.text("SELECT count(*) FROM users")) == 1


@pytest.mark.slow
def test_the_task_makes_backups(here: Deployment) -> None:
    with here.open(backup_passphrase="correct horse battery staple") as app:
        add_user(app, "lin.yue", "Lin Yue")
        add(app, "make_backup", interval_seconds=1)
        run = tick_until(app, lambda: ended(app))
        assert run.state == "succeeded", run.reason
        code, output = call(app, "list")
        assert code == 0
        _, reason, _, how, path = output.splitlines()[0].split("\t")
        assert (reason, how) == ("scheduled", "encrypted")
        assert call(app, "verify", path)[0] == 0


def ended(app: Flask) -> TaskRun | None:
    with app.app_context():
        run = db.session.scalars(sa.select(TaskRun).order_by(TaskRun.id).limit(1)).first()
        return run if run is not None and run.run_state.final else None
