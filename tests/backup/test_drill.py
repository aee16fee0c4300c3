"""FT-26: the restore drill. A backup is taken while people write; what they were told is saved is in the restored copy."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.backup.deployments import Deployment
from tests.browsers import HttpBrowser
from tests.people import PASSWORD, Person, add_user, sign_in
from tests.processes import wait_for
from tests.servers import serving
from webapp.audit import service as audit
from webapp.config import current_settings
from webapp.database import db
from webapp.settings import service as settings_service

pytestmark = [pytest.mark.slow, pytest.mark.mariadb, pytest.mark.timeout(240)]
WRITERS = 4
BEFORE, AFTER = 60, 40  # acknowledged writes before the backup begins, and after it has ended


class Ledger:
    """What was acknowledged, by whom, in order."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock, self._done = threading.Lock(), threading.Event()
        self.texts: list[str] = []
        self.faults: list[BaseException] = []
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _write(self, writer: int) -> None:
        try:
            browser, number = HttpBrowser(self._url).sign_in(f"writer.{writer}"), 0
            while not self._done.is_set():
                text = f"entry {writer}/{number} 林"
                browser.ask(text, "scripted-echo", request_id=f"drill-{writer}-{number}")
                with self._lock:
                    self.texts.append(text)
                number += 1
        except BaseException as error:
            self.faults.append(error)
            raise

    def wait_for(self, count: int) -> None:
        wait_for(lambda: len(self.texts) >= count or self.faults, seconds=100)
        assert not self.faults, self.faults


@pytest.mark.parametrize(
    ("source_kind", "target_kind"), [("sqlite", "sqlite"), ("sqlite", "mariadb"), ("mariadb", "sqlite")]
)
def test_restore_drill(
    tmp_path: Path, mariadb_empty: str, phrase_file: Path, source_kind: str, target_kind: str
) -> None:
    url: Callable[[str], str] = lambda kind: mariadb_empty if kind == "mariadb" else ""  # noqa: E731
    source = Deployment(tmp_path / "source", url(source_kind))
    target = Deployment(tmp_path / "target", url(target_kind))
    path = tmp_path / "drill.backup"
    prepare(source)
    with (
        serving(
            source.folder, WEB_CONCURRENCY="2", DATABASE_URL=source.url, MAX_STREAMS_PER_USER="1000"
        ) as server,
        Ledger(server.url) as ledger,
    ):
        ledger.wait_for(BEFORE)
        acknowledged = set(ledger.texts)
        done = source.flask("backup", "create", str(path), "--passphrase-file", str(phrase_file))
        assert done.returncode == 0, done.stderr
        ledger.wait_for(len(ledger.texts) + AFTER)
    assert not ledger.faults

    target.take_keys(source)
    done = target.flask("backup", "restore", str(path), "--passphrase-file", str(phrase_file))
    assert done.returncode == 0, done.stderr
    done = target.flask("audit", "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    with target.open() as app:
        assert acknowledged <= set(ledger_of(app)), "acknowledged before the backup began, and not in it"
        assert set(Counter(ledger_of(app)).values()) == {1}
        assert no_answer_without_its_question(app)
        with app.app_context():
            assert current_settings().zhipuai_api_key.get_secret_value() == "id.secret"
    assert (target.folder / "uploads" / "avatars" / "lin.webp").read_bytes() == b"picture"
    with serving(target.folder, DATABASE_URL=target.url) as server:
        browser = HttpBrowser(server.url).sign_in("writer.0")
        sent = browser.ask("after the drill", "scripted-echo")
        wait_for(lambda: browser.answer_state(sent["answer"]) == "complete")


@pytest.fixture
def phrase_file(tmp_path: Path) -> Path:
    path = tmp_path / "phrase"
    path.write_text("correct horse battery staple")
    return path


def prepare(source: Deployment) -> None:
    source.folder.mkdir()
    done = source.flask("db", "upgrade")
    assert done.returncode == 0, done.stderr
    (source.folder / "uploads" / "avatars").mkdir(parents=True)
    (source.folder / "uploads" / "avatars" / "lin.webp").write_bytes(b"picture")
    with source.open() as app:
        for number in range(WRITERS):
            add_user(app, f"writer.{number}", f"Writer {number}")
        assert sign_in(app, Person(0, "", "writer.0", "", PASSWORD))
        with app.app_context():
            settings_service.change(audit.SYSTEM, {"zhipuai_api_key": "id.secret"})


def ledger_of(app: Flask) -> list[str]:
    with app.app_context():
        query = sa.text("SELECT text FROM messages WHERE role = 'user' AND text LIKE 'entry %'")
        return list(db.session.scalars(query))


def no_answer_without_its_question(app: Flask) -> bool:
    """One moment means: each question has its answer's row, written in the same transaction, and no row more."""
    with app.app_context():
        roles = db.session.execute(sa.text("SELECT role, count(*) FROM messages GROUP BY role")).all()
        generations = db.session.scalar(sa.text("SELECT count(*) FROM generations"))
        counts = {row.role: row[1] for row in roles}
        return counts["user"] == counts["assistant"] == generations
