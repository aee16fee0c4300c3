"""The list as a file: whole, filtered, safe to open in a spreadsheet, recorded, and only for those who may."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile

import pytest
import time_machine
from flask import Flask

from tests.accounts.admin.crowd import crowd, new_user
from tests.audit_entries import entries
from tests.pages import PageClient
from tests.people import Person, add_admin, sign_in_admin
from webapp.accounts.administration import exporting
from webapp.audit.rules import Event
from webapp.database import db

EXPORT = "/admin/users/export"


def exported(client: PageClient, **fields: str) -> list[dict[str, str]]:
    response = client.submit(EXPORT, {"format": "csv", **fields})
    assert response.status_code == 200, response.text
    assert response.headers["Content-Disposition"].startswith('attachment; filename="users-')
    text = response.get_data().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_everybody_is_in_the_file_once(each_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "ROWS_AT_ONCE", 10)  # several pieces
    names = crowd(each_app, 35)
    client = sign_in_admin(each_app, add_admin(each_app, "mei.chen"))
    rows = exported(client)
    assert sorted(row["username"] for row in rows) == sorted(names)
    assert rows[0]["joined_at"] == "2026-01-01T00:00:00+00:00"
    assert rows[0]["last_login_at"] == ""


def test_filter_of_the_list_is_that_of_the_file(app: Flask, admin_client: PageClient, admin: Person) -> None:
    crowd(app, 3)
    crowd_of_one = new_user("suspended.one", state="suspended")
    with app.app_context():
        db.session.add(crowd_of_one)
        db.session.commit()
    page = admin_client.get("/admin/users/?state=suspended").text
    assert f"{EXPORT}?state=suspended" in page
    rows = exported(admin_client, state="suspended")
    assert [row["username"] for row in rows] == ["suspended.one"]
    (entry,) = entries(app, Event.USERS_EXPORTED)
    assert entry["actor"] == ("admin", admin.username)
    assert entry["after"] == {"format": "csv", "filter": {"state": "suspended"}}


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '"=1",=2'])
def test_no_cell_is_a_formula(app: Flask, admin_client: PageClient, name: str) -> None:
    with app.app_context():
        db.session.add(new_user("formula", display_name=name))
        db.session.commit()
    (row,) = exported(admin_client)
    assert row["name"] in {name, "'" + name}
    assert row["name"][:1] not in set("=+-@\t\r\0")
    book = zipfile.ZipFile(io.BytesIO(admin_client.submit(EXPORT, {"format": "xlsx"}).get_data()))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert name.replace('"', "&quot;") in sheet or name.strip() in sheet


def test_workbook_holds_everybody_and_leaves_nothing_behind(app: Flask, admin_client: PageClient) -> None:
    crowd(app, 25)
    response = admin_client.submit(EXPORT, {"format": "xlsx"})
    sheet = zipfile.ZipFile(io.BytesIO(response.get_data())).read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<row ") == 26
    response.close()
    with app.app_context():
        folder = app.extensions["settings"].instance_path / "exports"
    assert list(folder.iterdir()) == []


def test_confirmation_is_asked_for_once_signing_in_is_long_ago(app: Flask, admin: Person) -> None:
    crowd(app, 1)
    client = sign_in_admin(app, admin)
    assert client.get(EXPORT).status_code == 200
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)):
        assert "/admin/confirm" in client.get(EXPORT).location
        response = client.submit(EXPORT, {"format": "csv"}, page="/admin/users/")
        assert response.status_code == 303
    assert entries(app, Event.USERS_EXPORTED) == []


@pytest.mark.parametrize("role", ["operator", "auditor"])
def test_others_may_not(app: Flask, role: str) -> None:
    crowd(app, 1)
    client = sign_in_admin(app, add_admin(app, "somebody", role))
    assert "/export" not in client.get("/admin/users/").text
    assert client.get(EXPORT).status_code == 403
    assert client.submit(EXPORT, {"format": "csv"}, page="/admin/users/").status_code == 403


def test_values_that_are_not_offered_are_refused(admin_client: PageClient) -> None:
    assert admin_client.submit(EXPORT, {"format": "csv", "state": "nobody"}).status_code == 422
