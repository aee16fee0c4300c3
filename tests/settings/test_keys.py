"""Keys of secrets are changed without losing one, while the program runs, and in steps that can be repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import insert, select, text

from tests.conftest import make_settings, running
from webapp.audit import service as audit
from webapp.audit.models import AuditEntry
from webapp.config import Settings, current_settings
from webapp.database import db, rotation
from webapp.database.sealed import keys_in_force, seal
from webapp.lib import clock
from webapp.settings import service
from webapp.settings.models import StoredSetting

SECRETS = {"mail_password": "of-mail", "zhipuai_api_key": "id.secret"}


def run(app: Flask, *arguments: str) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=["crypto", *arguments])
    return done.exit_code, done.output


def store(app: Flask) -> None:
    with app.app_context():
        service.change(audit.SYSTEM, SECRETS)


def told(app: Flask) -> dict[str, str]:
    """Return the secrets as the program reads them now."""
    with app.app_context():
        service.current_overlay().forget()
        return {name: getattr(current_settings(), name).get_secret_value() for name in SECRETS}


def sealed(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(text("SELECT secret FROM settings ORDER BY name")))


def test_rotation_seals_everything_anew(each_app: Flask, instance: Path) -> None:
    store(each_app)
    before, keys = sealed(each_app), (instance / "encryption_keys").read_text().split(",")
    code, output = run(each_app, "rotate")
    assert (code, "2 secrets" in output) == (0, True), output
    assert told(each_app) == SECRETS
    assert not set(before) & set(sealed(each_app))
    newest, *old = (instance / "encryption_keys").read_text().split(",")
    assert old == keys
    assert all(Fernet(newest).decrypt(each.encode()) for each in sealed(each_app))
    assert (instance / "encryption_keys").stat().st_mode & 0o077 == 0
    with each_app.app_context():
        assert db.session.scalars(select(AuditEntry).where(AuditEntry.event == "keys:rotated")).one()


def test_old_keys_are_forgotten_only_when_nothing_needs_them(app: Flask, instance: Path) -> None:
    store(app)
    path = instance / "encryption_keys"
    path.write_text(f"{Fernet.generate_key().decode()},{path.read_text()}")
    code, output = run(app, "rotate", "--drop-old")
    assert code == 1
    assert "2 secrets" in output
    assert run(app, "rotate")[0] == 0  # goes on with the key that is there, and makes none
    assert len(path.read_text().split(",")) == 2
    assert run(app, "rotate", "--drop-old")[0] == 0
    assert len(path.read_text().split(",")) == 1
    assert told(app) == SECRETS


def test_another_running_process_follows(app: Flask, settings: Settings) -> None:
    store(app)
    for other in running(settings):
        assert told(other) == SECRETS
        run(app, "rotate")
        run(app, "rotate", "--drop-old")
        assert told(other) == SECRETS
        with other.app_context():
            service.change(audit.SYSTEM, {"mail_password": "newer"})
        assert told(app)["mail_password"] == "newer"


def test_status_counts(app: Flask, instance: Path) -> None:
    store(app)
    path = instance / "encryption_keys"
    path.write_text(f"{Fernet.generate_key().decode()},{path.read_text()}")
    with app.app_context():
        db.session.execute(
            text("UPDATE settings SET secret = :lost WHERE name = 'mail_password'"),
            {"lost": Fernet(Fernet.generate_key()).encrypt(b"x").decode()},
        )
        db.session.commit()
    code, output = run(app, "status")
    assert code == 0
    assert "older key: 1" in output
    assert "no key opens: 1" in output
    code, output = run(app, "rotate")
    assert "1 secrets could not be opened" in output
    assert told(app) == {**SECRETS, "mail_password": ""}


def test_more_than_one_piece(app: Flask, instance: Path) -> None:
    count = 2 * rotation.BATCH + 3
    with app.app_context():
        table = StoredSetting.__table__
        values = {"value": '""', "version": 1, "updated_at": clock.utc_now()}
        rows = [{"name": f"n{number:04}", "secret": f"s{number}", **values} for number in range(count)]
        db.session.execute(insert(table), rows)
        db.session.commit()
    _code, output = run(app, "rotate")
    assert f"{count} secrets" in output
    assert run(app, "rotate", "--drop-old")[0] == 0
    with app.app_context():
        found = set(db.session.scalars(select(StoredSetting.secret)))
        assert found == {f"s{number}" for number in range(count)}


@pytest.fixture
def two_keys() -> list[str]:
    return [Fernet.generate_key().decode(), Fernet.generate_key().decode()]


def test_keys_of_the_environment_are_changed_there(instance: Path, two_keys: list[str]) -> None:
    new, old = two_keys
    for app in running(make_settings(instance, encryption_keys=old)):
        store(app)
        code, output = run(app, "rotate")
        assert (code, "ENCRYPTION_KEYS" in output) == (0, True)
        assert not (instance / "encryption_keys").exists()
    for app in running(make_settings(instance, encryption_keys=f"{new},{old}")):
        assert told(app) == SECRETS
        code, output = run(app, "rotate")
        assert "2 secrets" in output
        assert "Take the old keys out" in output
    for app in running(make_settings(instance, encryption_keys=new)):
        assert told(app) == SECRETS
        with app.app_context():
            assert keys_in_force() == [new]
            assert seal("x") != seal("x")
