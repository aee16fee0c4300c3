"""Settings in the database win over the environment, in every process, and never break it."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from flask import Flask
from sqlalchemy import text

from tests.conftest import make_settings, running
from webapp.config import Settings, current_settings
from webapp.database import db
from webapp.settings.models import SettingChange, StoredSetting
from webapp.settings.service import current_overlay

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def store(app: Flask, name: str, value: object = None, secret: str | None = None) -> None:
    with app.app_context():
        db.session.merge(
            StoredSetting(name=name, value=json.dumps(value), secret=secret, version=1, updated_at=NOW)
        )
        db.session.add(
            SettingChange(
                name=name, version=1, before="null", after="null", author_kind="system", created_at=NOW
            )
        )
        db.session.commit()


def test_database_wins_over_the_environment(each_app: Flask) -> None:
    with each_app.app_context():
        assert current_settings().site_name == "Agent Tools"
    store(each_app, "site_name", "Northwind")
    store(each_app, "openai_compatible_models", ["one", "two"])
    with each_app.app_context():
        current_overlay().forget()
        assert current_settings().site_name == "Northwind"
        assert current_settings().openai_compatible_models == ("one", "two")


def test_another_process_follows(app: Flask, settings: Settings) -> None:
    for other in running(settings):
        with other.app_context():
            assert current_settings().site_name == "Agent Tools"
        store(app, "site_name", "Northwind")
        with other.app_context():
            current_overlay().forget()
            assert current_settings().site_name == "Northwind"


def test_secret_is_encrypted_in_the_database(app: Flask) -> None:
    store(app, "zhipuai_api_key", secret="abc.topsecret")
    with app.app_context():
        stored = db.session.execute(text("SELECT secret FROM settings")).scalar_one()
        assert "topsecret" not in stored
        current_overlay().forget()
        assert current_settings().zhipuai_api_key.get_secret_value() == "abc.topsecret"
        assert "topsecret" not in repr(current_settings())


@pytest.mark.parametrize(
    ("name", "value"), [("secret_key", "x" * 40), ("database_url", "sqlite://"), ("nothing", 1)]
)
def test_what_may_not_be_changed_is_ignored(app: Flask, name: str, value: object) -> None:
    store(app, name, value)
    with app.app_context():
        before = current_settings()
        current_overlay().forget()
        assert current_settings() == before


def test_value_that_no_longer_fits_is_left_out(app: Flask) -> None:
    store(app, "password_min_length", 1)
    store(app, "site_name", "Northwind")
    with app.app_context():
        current_overlay().forget()
        assert current_settings().password_min_length == 10
        assert current_settings().site_name == "Northwind"


def test_database_without_tables_leaves_the_environment(tmp_path) -> None:
    for app in running(make_settings(tmp_path / "empty", site_name="From the environment")):
        with app.app_context():
            assert current_settings().site_name == "From the environment"
