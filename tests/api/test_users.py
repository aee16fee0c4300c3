"""Administrators' programs and users."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from flask import Flask

from tests.api.administering import AdminProgram, events
from tests.api.calling import api_token, data_of, errors_of, reason_of
from tests.pages import PageClient
from tests.people import Person, add_user, sign_in_admin
from webapp.accounts.models import User
from webapp.database import db


@pytest.fixture
def admin(app: Flask) -> AdminProgram:
    return AdminProgram(app)


@pytest.fixture
def people(app: Flask) -> list[Person]:
    return [add_user(app, f"user.{number}", f"Person {number}") for number in range(5)]


@pytest.mark.parametrize("way", ["up", "down"])
def test_pages_are_continued_without_gap_or_repeat(
    admin: AdminProgram, people: list[Person], way: str
) -> None:
    found: list[str] = []
    query = {"limit": 2, "sort": "name", "way": way}
    page = admin.get("/api/admin/users", **query)
    while True:
        found += [each["username"] for each in page["items"]]
        if page["next"] is None:
            break
        page = admin.get("/api/admin/users", **query, after=page["next"])
    assert found == sorted((each.username for each in people), reverse=way == "down")


def test_a_cursor_fits_its_own_list_only(admin: AdminProgram, people: list[Person]) -> None:
    assert people
    cursor = admin.get("/api/admin/users", limit=2)["next"]
    answer = admin.call(
        "GET", "/api/admin/users", query_string={"after": cursor, "limit": 2, "state": "active"}
    )
    assert (answer.status_code, reason_of(answer)) == (422, "cursor_invalid")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "nothing"),
        ("sort", "password_hash"),
        ("way", "sideways"),
        ("limit", "0"),
        ("limit", "100000"),
        ("page", "2"),
    ],
)
def test_what_is_not_offered_is_refused(admin: AdminProgram, name: str, value: str) -> None:
    answer = admin.call("GET", "/api/admin/users", query_string={name: value})
    assert answer.status_code == 422
    assert set(errors_of(answer)) == {name}


def test_search_and_filter(admin: AdminProgram, app: Flask, people: list[Person]) -> None:
    admin.post(f"/api/admin/users/{people[3].public_id}/suspend", reason="spam")
    found = admin.get("/api/admin/users", q="person", state="suspended")["items"]
    assert [each["id"] for each in found] == [people[3].public_id]
    assert "password" not in str(found)


def test_suspended_and_restored(admin: AdminProgram, app: Flask, people: list[Person]) -> None:
    token = api_token(app, people[0])
    path = f"/api/admin/users/{people[0].public_id}"
    assert admin.call("POST", f"{path}/suspend", json={"reason": " "}).status_code == 422
    assert admin.post(f"{path}/suspend", reason="it was asked for")["state"] == "suspended"
    assert app.test_client().post("/api/user/logout", headers=token).status_code == 401
    again = admin.call("POST", f"{path}/suspend", json={"reason": "twice"})
    assert (again.status_code, reason_of(again)) == (409, "suspended")
    assert admin.post(f"{path}/restore")["state"] == "active"
    assert [each for each in events(app) if each.startswith("user:")][-2:] == [
        "user:suspended",
        "user:restored",
    ]


def test_acts_on_one_user(admin: AdminProgram, app: Flask, people: list[Person]) -> None:
    api_token(app, people[1])
    path = f"/api/admin/users/{people[1].public_id}"
    assert admin.get(path)["api_tokens"] == 1
    assert admin.post(f"{path}/tokens/end")["api_tokens"] == 0
    for act in ("unlock", "sessions/end", "reset"):
        assert admin.post(f"{path}/{act}")["id"] == people[1].public_id
    link = admin.post(f"{path}/link", proof=admin.person.password)["url"]
    assert re.search(r"/\S{20,}", link)
    assert len(link) > len(set(link)) > 10


BAD_INVITATIONS = [
    ({"email": "no address", "username": "good.name"}, "email"),
    ({"email": "a@example.com, b@example.com", "username": "good.name"}, "email"),
    ({"email": "good@example.com", "username": "x"}, "username"),
    ({"email": "good@example.com", "username": "user.0"}, "username"),
    ({"email": "user.0@example.com", "username": "good.name"}, "email"),
]


@pytest.mark.parametrize(("values", "field"), BAD_INVITATIONS)
def test_page_and_program_get_the_same_refusal(
    admin: AdminProgram, app: Flask, people: list[Person], values: dict[str, str], field: str
) -> None:
    assert people
    answer = admin.call("POST", "/api/admin/users", json=values)
    assert answer.status_code in {409, 422}
    (sentence,) = errors_of(answer)[field]
    page: PageClient = sign_in_admin(app, admin.person)
    shown = page.submit("/admin/users/new", values)
    assert shown.status_code == 422
    assert sentence.replace("'", "&#39;") in shown.text
    with app.app_context():
        assert db.session.query(User).count() == len(people)


def test_invited(admin: AdminProgram, app: Flask) -> None:
    body = {"email": "ines@example.com", "username": "ines", "locale": "zh_CN"}
    made = admin.call("POST", "/api/admin/users", json=body, headers={"Idempotency-Key": "once"})
    again = admin.call("POST", "/api/admin/users", json=body, headers={"Idempotency-Key": "once"})
    assert data_of(made)["state"] == "invited"
    assert again.get_json()["data"] == made.get_json()["data"]
    assert events(app).count("user:invited") == 1


def test_bulk_is_told_and_then_done_user_by_user(
    admin: AdminProgram, app: Flask, people: list[Person]
) -> None:
    admin.post(f"/api/admin/users/{people[4].public_id}/suspend", reason="before")
    selection = {"act": "suspend", "filter": {"q": "person"}}
    assert admin.post("/api/admin/users/bulk/preview", **selection) == {"count": 5, "busy": 0, "unfit": 1}
    missing = admin.call("POST", "/api/admin/users/bulk", json=selection)
    assert set(errors_of(missing)) == {"reason"}
    told = admin.post("/api/admin/users/bulk", **selection, reason="cleaning up")
    assert told["done"] == 4
    (refused,) = (each for each in told["results"] if not each["done"])
    assert refused["id"] == people[4].public_id
    assert "suspended already" in refused["message"]


@pytest.mark.parametrize("selection", [{}, {"users": ["x"], "filter": {}}, {"users": ["nobody"]}])
def test_bulk_wants_one_selection(admin: AdminProgram, selection: dict[str, object]) -> None:
    answer = admin.call("POST", "/api/admin/users/bulk/preview", json={"act": "restore", **selection})
    assert answer.status_code == 422


def upload(text: str) -> dict[str, object]:
    return {
        "data": {"file": (io.BytesIO(text.encode()), "people.csv")},
        "content_type": "multipart/form-data",
    }


def test_import_is_judged_and_then_all_or_nothing(
    admin: AdminProgram, app: Flask, people: list[Person]
) -> None:
    bad = f"email,username\nnew@example.com,new.one\n{people[0].email},other\n"
    judged = data_of(admin.call("POST", "/api/admin/users/import/check", **upload(bad)))
    assert judged["good"] is False
    assert [bool(row["faults"]) for row in judged["rows"]] == [False, True]
    answer = admin.call("POST", "/api/admin/users/import", **upload(bad))
    assert (answer.status_code, reason_of(answer)) == (409, "import_faulty")
    assert "rows 3" in answer.get_json()["message"]
    good = "email,username\nnew@example.com,new.one\nmore@example.com,more\n"
    assert data_of(admin.call("POST", "/api/admin/users/import", **upload(good))) == {"invited": 2}
    with app.app_context():
        assert db.session.query(User).count() == len(people) + 2


def test_export(admin: AdminProgram, app: Flask, people: list[Person]) -> None:
    assert people
    add_user(app, "formula", "=1+1")
    body = {"proof": admin.person.password}
    sheet = admin.call("POST", "/api/admin/users/export/csv", json=body)
    assert sheet.status_code == 200
    assert sheet.mimetype == "text/csv"
    assert "'=1+1" in sheet.text
    assert len(sheet.text.splitlines()) == 7
    book = admin.call("POST", "/api/admin/users/export/xlsx", json={**body, "q": "person"})
    assert zipfile.ZipFile(io.BytesIO(book.data)).testzip() is None
    assert events(app).count("users:exported") == 2


def test_an_operator_may_suspend_and_not_export(app: Flask, people: list[Person]) -> None:
    operator = AdminProgram(app, "operator")
    assert (
        operator.post(f"/api/admin/users/{people[0].public_id}/suspend", reason="spam")["state"]
        == "suspended"
    )
    answer = operator.call("POST", "/api/admin/users/export/csv", json={"proof": operator.person.password})
    assert answer.status_code == 403
