"""Fixtures all tests share: an application on a database of its own, people, and a client that inspects pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade

from tests.pages import PageClient
from tests.people import Person, add_admin, add_user, sign_in, sign_in_admin
from webapp import background
from webapp.app import create_app, finish_shutdown
from webapp.config import Settings
from webapp.extensions import db

pytest_plugins = ["tests.services"]

SECRET = "test-key-" + "k" * 40
# Which database an instance folder's application is on, where that is not SQLite in the folder.
DATABASES: dict[Path, str] = {}


def make_settings(instance: Path, **overrides: object) -> Settings:
    """Return test settings whose state is in the folder."""
    values: dict[str, object] = {
        "profile": "test",
        "instance_path": instance,
        "database_url": DATABASES.get(instance, ""),
        "secret_key": SECRET,
        "log_to_file": False,
        "rate_limits": False,
        "scripted_models": True,
        "local_model": "off",
        "public_url": "http://localhost",
        "backup_before_migration": False,
    }
    return Settings(**(values | overrides))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def template_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    app = create_app(make_settings(folder, log_level="WARNING"))
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return folder / "agent-tools.db"


@pytest.fixture
def instance(request: pytest.FixtureRequest, tmp_path: Path, template_database: Path) -> Iterator[Path]:
    """An instance folder with a migrated database: SQLite, or with TEST_DATABASE=mariadb a private MariaDB."""
    folder = tmp_path / "instance"
    folder.mkdir()
    shutil.copy(template_database, folder / "agent-tools.db")
    if os.environ.get("TEST_DATABASE") == "mariadb":
        DATABASES[folder] = request.getfixturevalue("mariadb_migrated")
    yield folder
    DATABASES.pop(folder, None)


@pytest.fixture
def settings(instance: Path) -> Settings:
    """Settings of the application under test; a test module may override this."""
    return make_settings(instance)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """An application on SQLite."""
    yield from running(settings)


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def each_app(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Flask]:
    """An application on SQLite, and the same on MariaDB."""
    if request.param == "mariadb":
        url = request.getfixturevalue("mariadb_migrated")
        settings = settings.model_copy(update={"database_url": url})
    yield from running(settings)


def running(settings: Settings) -> Iterator[Flask]:
    """Build an application and take it down again."""
    app = create_app(settings)
    app.test_client_class = PageClient
    yield app
    background.stop(app)
    finish_shutdown(app, seconds=0)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> PageClient:
    """A browser that is signed out."""
    return app.test_client()  # type: ignore[return-value]


@pytest.fixture
def user(app: Flask) -> Person:
    """Lin Yue, who has an account."""
    return add_user(app, "lin.yue", "Lin Yue")


@pytest.fixture
def other(app: Flask) -> Person:
    """Wang Wei, who has another account."""
    return add_user(app, "wang.wei", "王伟")


@pytest.fixture
def signed_in(app: Flask, user: Person) -> PageClient:
    """Lin Yue's browser."""
    return sign_in(app, user)


@pytest.fixture
def other_signed_in(app: Flask, other: Person) -> PageClient:
    """Wang Wei's browser."""
    return sign_in(app, other)


@pytest.fixture
def admin(app: Flask) -> Person:
    """Mei Chen, a superadmin."""
    return add_admin(app, "mei.chen")


@pytest.fixture
def admin_client(app: Flask, admin: Person) -> PageClient:
    """Mei Chen's browser."""
    return sign_in_admin(app, admin)
