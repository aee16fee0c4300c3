"""Users from a file: judged row by row before anything is written, then all or nobody; and one by a form."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.accounts.admin.crowd import new_user
from tests.audit_entries import entries
from tests.letters import letters_to
from tests.pages import PageClient, read
from tests.people import Person, add_admin, sign_in, sign_in_admin
from webapp.accounts.administration.importing import IMPORT_MAX_BYTES, IMPORT_MAX_ROWS
from webapp.accounts.models import User
from webapp.audit.rules import Event
from webapp.database import db

IMPORT, APPLY, NEW = "/admin/users/import", "/admin/users/import/apply", "/admin/users/new"
GOOD = "email,username,name,language\r\nlin@example.com,lin,林悦,zh_CN\r\nbo@example.com,,,\r\n"


def hand_over(client: PageClient, content: str | bytes) -> TestResponse:
    data = content if isinstance(content, bytes) else content.encode()
    return client.submit(IMPORT, {"file": (io.BytesIO(data), "people.csv")})


def confirm(client: PageClient, response: TestResponse) -> TestResponse:
    (form,) = [each for each in read(response).forms if each.get("action") == APPLY]
    return client.post(APPLY, data={name: value for name, value in form["fields"].items() if name})


def people(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(User)) or 0


def test_dry_run_then_everybody_is_invited(each_app: Flask) -> None:
    client = sign_in_admin(each_app, add_admin(each_app, "mei.chen"))
    judged = hand_over(client, "\ufeff" + GOOD)
    assert judged.status_code == 200
    assert "Invite 2 people?" in judged.text
    assert people(each_app) == 0, "a dry run writes nothing"
    assert letters_to(each_app, "lin@example.com") == []
    assert confirm(client, judged).status_code == 303
    with each_app.app_context():
        lin, bo = db.session.scalars(select(User).order_by(User.id))
        assert (lin.display_name, lin.username, lin.locale, lin.state) == ("林悦", "lin", "zh_CN", "invited")
        assert (bo.display_name, bo.username, bo.password_hash, bo.verified_at) == ("bo0", "bo0", "", None)
    assert entries(each_app, Event.USERS_IMPORTED)[0]["after"] == {"invited": 2}
    assert len(entries(each_app, Event.USER_INVITED)) == 2


def test_invited_person_sets_a_password_and_is_in(app: Flask, admin_client: PageClient) -> None:
    confirm(admin_client, hand_over(admin_client, GOOD))
    (letter,) = letters_to(app, "lin@example.com")
    link = str(letter["link"]).removeprefix("http://localhost")
    assert app.test_client().submit(link, {"password": "a whole new sentence"}).status_code in {200, 303}
    person = Person(0, "", "lin", "lin@example.com", "a whole new sentence")
    assert sign_in(app, person).get("/chat").status_code == 200


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("not an address,a.b,A,", "not an e-mail address"),
        ("a@example.com b@example.com,a.b,A,", "not an e-mail address"),
        ('"a@example.com,b@example.com",a.b,A,', "not an e-mail address"),
        ("a@example.com,x,A,", "A user name has"),
        ("a@example.com,<b>x</b>,A,", "Use letters"),
        (f"a@example.com,abc,{'x' * 61},", "A name has at most"),
        ("a@example.com,abc,A,fr", "The language is none of"),
        ("taken@example.com,abc,A,", "There is an account with this address"),
        ("TAKEN@Example.com,abc,A,", "There is an account with this address"),
        ("a@example.com,Taken,A,", "This user name is taken"),
        ("LIN@example.com,abc,A,", "The same address stands in row 2"),
        ("a@example.com,LIN,A,", "The same user name stands in row 2"),
        ("a@example.com,abc,A,en,more", "more cells than columns"),
        (f"a@example.com,abc,{'x' * 301},", "A cell is too long"),
    ],
)
def test_one_bad_row_keeps_everybody_out(app: Flask, admin_client: PageClient, row: str, told: str) -> None:
    with app.app_context():
        db.session.add(new_user("taken"))
        db.session.commit()
    response = hand_over(admin_client, f"email,username,name,language\nlin@example.com,lin,Lin,\n{row}\n")
    assert response.status_code == 422
    assert "1 row cannot be imported" in response.text
    assert told in response.text
    assert APPLY not in response.text, "nothing to confirm"
    token = admin_client.csrf_token(IMPORT)
    text = f"email,username,name,language\nlin@example.com,lin,Lin,\n{row}\n"
    assert admin_client.post(APPLY, data={"csrf_token": token, "text": text}).status_code == 422
    assert people(app) == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "has to name the columns"),
        ("email\n", "no row below"),
        ("name\nLin\n", "has to name the columns"),
        ("email,email\na@example.com,b@example.com\n", "has to name the columns"),
        ("email,role\na@example.com,superadmin\n", "cannot be imported: role"),
        ("email,id,state\na@example.com,1,active\n", "cannot be imported: id, state"),
        ("email,password_hash\na@example.com,x\n", "cannot be imported: password_hash"),
        ('email\n"a@example.com\n', "cannot be read as CSV"),
        (b"email\n\xff\xfe\n", "not UTF-8"),
        (b"email\na\0@example.com\n", "not a CSV file"),
        ("email\n" + "a" * IMPORT_MAX_BYTES, "larger than"),
        ("email\n" + "\n".join(f"p{n}@example.com" for n in range(IMPORT_MAX_ROWS + 1)), "more than"),
    ],
)
def test_files_that_cannot_be_taken_are_refused_in_words(
    app: Flask, admin_client: PageClient, content: str | bytes, told: str
) -> None:
    response = hand_over(admin_client, content)
    assert response.status_code == 422
    assert told in response.text
    assert people(app) == 0


def test_without_a_file_it_says_so(admin_client: PageClient) -> None:
    response = admin_client.submit(IMPORT, {})
    assert response.status_code == 422
    assert "Choose a file first" in response.text


def test_somebody_who_registered_meanwhile_keeps_everybody_out(app: Flask, admin_client: PageClient) -> None:
    judged = hand_over(admin_client, GOOD)
    with app.app_context():
        db.session.add(new_user("bo"))
        db.session.commit()
    response = confirm(admin_client, judged)
    assert response.status_code == 422
    assert "Nothing was imported" in response.text
    assert "There is an account with this address" in response.text
    assert people(app) == 1
    assert entries(app, Event.USERS_IMPORTED) == []


def test_what_was_exported_can_be_imported(app: Flask, admin_client: PageClient) -> None:
    response = hand_over(admin_client, "email;name\r\na@example.com;'=1+1\r\n")
    assert response.status_code == 200
    confirm(admin_client, response)
    with app.app_context():
        assert db.session.scalars(select(User.display_name)).one() == "=1+1"


@pytest.mark.parametrize("role", ["operator", "auditor"])
def test_others_may_not_import(app: Flask, role: str) -> None:
    client = sign_in_admin(app, add_admin(app, "somebody", role))
    assert client.get(IMPORT).status_code == 403
    for path in (IMPORT, APPLY):
        assert client.submit(path, {"text": GOOD}, page="/admin/users/").status_code == 403
    assert people(app) == 0


def test_one_person_by_the_form(app: Flask, admin_client: PageClient, admin: Person) -> None:
    fields = {"email": "new@example.com", "username": "new.one", "display_name": "", "locale": "zh_CN"}
    response = admin_client.submit(NEW, fields)
    assert response.status_code == 303
    assert "Invited" in admin_client.get(response.location).text
    assert len(letters_to(app, "new@example.com")) == 1
    (entry,) = entries(app, Event.USER_INVITED)
    assert entry["actor"] == ("admin", admin.username)
    again = admin_client.submit(NEW, fields | {"email": "other@example.com"})
    assert again.status_code == 422
    assert "taken" in again.text
    assert admin_client.submit(NEW, fields | {"email": "x", "username": "y" * 40}).status_code == 422
    assert people(app) == 1


def test_form_takes_no_other_field(app: Flask, admin_client: PageClient) -> None:
    fields = {
        "email": "new@example.com",
        "username": "new.one",
        "state": "active",
        "password_hash": "x",
        "id": "9",
    }
    admin_client.submit(NEW, fields)
    with app.app_context():
        user = db.session.scalars(select(User)).one()
        assert (user.id, user.state, user.password_hash) == (1, "invited", "")


def test_operator_may_invite_and_auditor_not(app: Flask) -> None:
    operator = sign_in_admin(app, add_admin(app, "olga", "operator"))
    assert operator.get(NEW).status_code == 200
    auditor = sign_in_admin(app, add_admin(app, "audrey", "auditor"))
    assert auditor.get(NEW).status_code == 403
    fields = {"email": "new@example.com", "username": "new.one"}
    assert auditor.submit(NEW, fields, page="/admin/users/").status_code == 403
    assert people(app) == 0
