"""Changing settings: typed, versioned, audited, all or nothing, and never over somebody else's change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.conftest import make_settings, running
from tests.people import add_admin
from webapp.admins.models import Admin
from webapp.audit import service as audit
from webapp.audit.models import AuditEntry
from webapp.config import Settings, current_settings
from webapp.database import db
from webapp.errors import Invalid, NotAllowed, NotFound
from webapp.settings import service
from webapp.settings.service import SettingsConflict, SettingsInvalid


@pytest.fixture
def inside(each_app: Flask) -> Iterator[Flask]:
    """The application, with its context pushed."""
    with each_app.app_context():
        yield each_app


def change(values: dict[str, Any], **kwargs: Any) -> list[str]:
    return service.change(audit.SYSTEM, values, **kwargs)


def entries() -> list[AuditEntry]:
    db.session.rollback()
    query = select(AuditEntry).where(AuditEntry.event.like("setting:%")).order_by(AuditEntry.id)
    return list(db.session.scalars(query))


def versions(name: str) -> list[tuple[int, Any, Any]]:
    return [(each.version, json.loads(each.before), json.loads(each.after)) for each in service.history(name)]


def as_admin(app: Flask, role: str) -> Admin:
    return db.session.get_one(Admin, add_admin(app, f"of.{role}", role).id)


def test_change_is_in_force_at_once_and_versioned(inside: Flask) -> None:
    assert change({"site_name": "Northwind", "session_idle_minutes": 60}) == [
        "site_name",
        "session_idle_minutes",
    ]
    assert current_settings().site_name == "Northwind"
    change({"site_name": "Southwind"})
    assert current_settings().session_idle_minutes == 60
    assert versions("site_name") == [(2, "Northwind", "Southwind"), (1, None, "Northwind")]


def test_each_change_has_an_entry_with_before_and_after(inside: Flask) -> None:
    change({"site_name": "Northwind"})
    (entry,) = entries()
    assert (entry.event, entry.target_kind, entry.target_id) == ("setting:changed", "setting", "site_name")
    assert json.loads(entry.before) == {"site_name": "Agent Tools", "source": "environment"}
    assert json.loads(entry.after) == {"site_name": "Northwind", "source": "here"}


def test_what_is_in_force_already_is_left_alone(inside: Flask) -> None:
    assert change({"site_name": "Agent Tools", "registration_open": True}) == []
    assert entries() == []


def test_all_faults_are_told_at_once_and_nothing_is_changed(inside: Flask) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        change(
            {
                "site_name": "Northwind",
                "password_min_length": "4",
                "session_idle_minutes": "often",
                "default_locale": "xx",
                "mail_use_ssl": True,
                "zhipuai_api_key": "nodot",
            }
        )
    assert set(caught.value.faults) == {
        "password_min_length",
        "session_idle_minutes",
        "default_locale",
        "mail_use_ssl",
        "zhipuai_api_key",
    }
    assert caught.value.faults["password_min_length"] == "Give at least 8."
    assert current_settings().site_name == "Agent Tools"
    assert entries() == []
    assert service.history("site_name") == []


@pytest.mark.parametrize("name", ["secret_key", "database_url", "profile", "nothing"])
def test_only_changeable_settings_can_be_changed(inside: Flask, name: str) -> None:
    with pytest.raises(Invalid):
        change({name: "x" * 40})


def test_back_to_the_environment(inside: Flask) -> None:
    change({"site_name": "Northwind"})
    assert change({"site_name": None}) == ["site_name"]
    assert current_settings().site_name == "Agent Tools"
    assert change({"site_name": None}) == []
    assert versions("site_name")[0] == (2, "Northwind", None)
    change({"site_name": "Again"})
    assert versions("site_name")[0] == (3, None, "Again")


def test_revert_to_a_version(inside: Flask) -> None:
    change({"openai_compatible_models": "one, two"})
    change({"openai_compatible_models": ["three"]})
    assert service.revert(audit.SYSTEM, "openai_compatible_models", 1) == ["openai_compatible_models"]
    assert current_settings().openai_compatible_models == ("one", "two")
    assert entries()[-1].event == "setting:reverted"
    with pytest.raises(NotFound):
        service.revert(audit.SYSTEM, "openai_compatible_models", 9)


def test_secret_is_nowhere_but_in_its_sealed_column(inside: Flask) -> None:
    change({"mail_password": "s3cret-of-mail"})
    assert current_settings().mail_password.get_secret_value() == "s3cret-of-mail"
    change({"mail_password": ""})
    assert current_settings().mail_password.get_secret_value() == ""
    change({"mail_password": "another-s3cret"})
    assert versions("mail_password") == [(3, "", "••••••"), (2, "••••••", ""), (1, None, "••••••")]
    for table in ("settings", "setting_changes", "audit_entries"):
        rows = repr(db.session.execute(text(f"SELECT * FROM {table}")).all())
        assert "s3cret" not in rows, table
    with pytest.raises(Invalid, match="not kept"):
        service.revert(audit.SYSTEM, "mail_password", 1)


def test_somebody_else_s_change_is_not_written_over(inside: Flask) -> None:
    first = as_admin(inside, "superadmin")
    service.change(first, {"site_name": "Northwind"})
    with pytest.raises(SettingsConflict) as caught:
        change({"site_name": "Southwind", "session_idle_minutes": 60}, expected_versions={"site_name": 0})
    assert "of.superadmin" in caught.value.faults["site_name"]
    assert current_settings().session_idle_minutes != 60
    assert change({"site_name": "Southwind"}, expected_versions={"site_name": 1}) == ["site_name"]


def test_what_was_only_on_the_page_is_no_conflict(inside: Flask) -> None:
    """Two people save one group: each changes another setting of it, and both changes stay."""
    change({"site_name": "Northwind"})
    changed = change(
        {"site_name": "Agent Tools", "default_locale": "zh_CN"},
        expected_versions={"site_name": 0, "default_locale": 0},
    )
    assert changed == ["default_locale"]
    assert current_settings().site_name == "Northwind"


@pytest.mark.parametrize(
    ("role", "values", "allowed"),
    [
        ("auditor", {"site_name": "X"}, False),
        ("operator", {"site_name": "X"}, False),
        ("admin", {"site_name": "X"}, True),
        ("admin", {"openai_compatible_base_url": "https://a.example/v1"}, False),
        ("admin", {"zhipuai_api_key": "a.b"}, False),
        ("superadmin", {"zhipuai_api_key": "a.b"}, True),
    ],
)
def test_rights(app: Flask, role: str, values: dict[str, Any], allowed: bool) -> None:
    with app.app_context():
        actor = as_admin(app, role)
        if allowed:
            assert service.change(actor, values) == list(values)
        else:
            with pytest.raises(NotAllowed):
                service.change(actor, values)
            assert entries() == []


class TestSecretsFollowTheirService:
    """M5: a key is never sent to another origin than the one it was given for."""

    @pytest.fixture
    def settings(self, instance: Any) -> Settings:
        return make_settings(
            instance,
            openai_compatible_base_url="https://home.example/v1",
            openai_compatible_api_key="key-of-home",
        )

    @pytest.fixture(autouse=True)
    def _inside(self, app: Flask) -> Iterator[None]:
        with app.app_context():
            yield

    @staticmethod
    def key() -> str:
        return current_settings().openai_compatible_api_key.get_secret_value()

    @pytest.mark.parametrize(
        "url", ["https://other.example/v1", "http://home.example/v1", "https://home.example:8443/v1"]
    )
    def test_another_origin_takes_the_key_away(self, url: str) -> None:
        changed = change({"openai_compatible_base_url": url})
        assert changed == ["openai_compatible_base_url", "openai_compatible_api_key"]
        assert self.key() == ""

    def test_another_path_of_the_same_origin_keeps_it(self) -> None:
        change({"openai_compatible_base_url": "https://HOME.example:443/v2"})
        assert self.key() == "key-of-home"

    def test_a_new_key_comes_with_the_new_address(self) -> None:
        change(
            {"openai_compatible_base_url": "https://other.example", "openai_compatible_api_key": "new-key"}
        )
        assert self.key() == "new-key"

    def test_environment_s_key_does_not_go_to_another_address(self) -> None:
        change({"openai_compatible_base_url": "https://other.example"})
        with pytest.raises(SettingsInvalid) as caught:
            change({"openai_compatible_api_key": None})
        assert list(caught.value.faults) == ["openai_compatible_api_key"]
        assert self.key() == ""

    def test_both_go_home_together(self) -> None:
        change({"openai_compatible_base_url": "https://other.example"})
        change({"openai_compatible_base_url": None, "openai_compatible_api_key": None})
        assert self.key() == "key-of-home"

    def test_reverting_the_address_takes_the_key_away(self) -> None:
        change(
            {"openai_compatible_base_url": "https://other.example", "openai_compatible_api_key": "new-key"}
        )
        change({"openai_compatible_base_url": None, "openai_compatible_api_key": None})
        service.revert(audit.SYSTEM, "openai_compatible_base_url", 1)
        assert self.key() == ""

    def test_mail_password_stays_with_its_server(self) -> None:
        change({"mail_server": "smtp.home.example", "mail_password": "of-home"})
        change({"mail_server": "smtp.other.example"})
        assert current_settings().mail_password.get_secret_value() == ""


def test_secret_sealed_with_a_lost_key_costs_the_secret_only(app: Flask, settings: Settings) -> None:
    with app.app_context():
        change({"mail_password": "s3cret", "site_name": "Northwind"})
    (settings.instance_path / "encryption_keys").unlink()
    for again in running(settings):
        with again.app_context():
            assert current_settings().site_name == "Northwind"
            assert current_settings().mail_password.get_secret_value() == ""
