"""H1: no administrator comes with the program; the first one is made through a link that works once."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from tests.admins.crowds import at_once
from tests.admins.records import entries
from tests.conftest import make_settings
from tests.pages import PageClient
from tests.people import PASSWORD, Person
from webapp import app as application
from webapp import serve
from webapp.admins import service
from webapp.admins.models import Admin, SetupLink
from webapp.audit import service as audit
from webapp.config import Settings
from webapp.database import db
from webapp.identity import service as identity

FORM = {"username": "mei.chen", "email": "mei@example.com", "password": PASSWORD}


@pytest.fixture
def token(app: Flask) -> str:
    """The token of a set-up link."""
    made = application.setup_token(app)
    assert made
    return made


def admins_in(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Admin.username)))


def test_there_is_no_administrator_at_first(app: Flask, client: PageClient) -> None:
    assert admins_in(app) == []
    refused = client.submit("/admin/login", {"login": "admin", "password": "admin"})
    assert refused.status_code == 422


def test_link_makes_a_superadmin_who_is_signed_in(app: Flask, client: PageClient, token: str) -> None:
    response = client.submit(f"/admin/setup/{token}", FORM)
    assert response.status_code == 303
    assert client.get("/admin/administrators/").status_code == 200
    assert admins_in(app) == ["mei.chen"]
    (entry,) = entries(app, "admin:set_up")
    assert (entry["actor"], entry["after"]["role"]) == ("mei.chen", "superadmin")


def test_link_works_once(app: Flask, client: PageClient, token: str) -> None:
    client.submit(f"/admin/setup/{token}", FORM)
    late = app.test_client()
    assert late.get(f"/admin/setup/{token}").status_code == 404
    with app.app_context():
        db.session.execute(Admin.__table__.delete())
        db.session.commit()
    assert late.get(f"/admin/setup/{token}").status_code == 404
    assert admins_in(app) == []


def test_link_ends_after_a_day(app: Flask, token: str) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=24, minutes=1)
    with time_machine.travel(later, tick=False):
        assert app.test_client().get(f"/admin/setup/{token}").status_code == 404


def test_newer_link_replaces_the_older(app: Flask, client: PageClient, token: str) -> None:
    newer = application.setup_token(app)
    assert client.get(f"/admin/setup/{token}").status_code == 404
    assert client.get(f"/admin/setup/{newer}").status_code == 200


def test_wrong_token_is_refused(client: PageClient, token: str) -> None:
    for wrong in ("x", token[:-1], token + "x", "%00", "é"):
        assert client.get(f"/admin/setup/{wrong}").status_code == 404


def test_token_is_stored_hashed(app: Flask, token: str) -> None:
    with app.app_context():
        link = db.session.scalars(select(SetupLink)).one()
        assert token not in (link.token_hash, "")
        assert len(link.token_hash) == 64


def test_bad_entries_are_told_beside_the_field_and_leave_the_link(
    app: Flask, client: PageClient, token: str
) -> None:
    page = f"/admin/setup/{token}"
    assert client.submit(page, FORM | {"password": "short one"}).status_code == 422
    assert client.submit(page, FORM | {"email": "nobody"}).status_code == 422
    assert client.submit(page, FORM | {"username": "x"}).status_code == 422
    assert admins_in(app) == []
    assert client.submit(page, FORM).status_code == 303


def test_administrator_made_otherwise_closes_the_link(app: Flask, client: PageClient, token: str) -> None:
    with app.app_context():
        service.add_admin(
            actor=audit.SYSTEM, username="li.si", email="li@example.com", password=PASSWORD, role="auditor"
        )
    assert client.get(f"/admin/setup/{token}").status_code == 404
    assert application.setup_token(app) is None


def test_two_browsers_at_once_make_one_administrator(each_app: Flask) -> None:
    token = application.setup_token(each_app)
    assert token

    def try_as(name: str) -> object:
        return service.set_up(
            token=token,
            username=name,
            email=f"{name}@example.com",
            password=PASSWORD,
            client=identity.Client("", "127.0.0.1"),
        )

    results = at_once(
        each_app, *(lambda name=name: try_as(name) for name in ("one.first", "two.second", "three.3"))
    )
    with each_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Admin)) == 1
    assert sum(isinstance(result, identity.Accepted) for result in results) == 1


def test_welcome_tells_the_link_only_while_it_is_needed(settings: Settings, app: Flask, token: str) -> None:
    assert f"/admin/setup/{token}" in serve.welcome(settings, token)
    assert "/admin/setup" not in serve.welcome(settings, None)


def test_database_without_tables_gives_no_link(tmp_path: object) -> None:
    app = application.create_app(make_settings(tmp_path))  # type: ignore[arg-type]
    assert application.setup_token(app) is None


def test_setting_up_leaves_a_user_signed_in(
    app: Flask, signed_in: PageClient, user: Person, token: str
) -> None:
    assert signed_in.submit(f"/admin/setup/{token}", FORM).status_code == 303
    assert signed_in.get("/profile").status_code == 200
    assert signed_in.get("/admin/").status_code == 200
