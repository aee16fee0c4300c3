"""One's data: taken along, or deleted after days of grace (G5)."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from tests.accounts.pictures import picture
from tests.chat.waiting import ask, wait_for_end
from tests.letters import letters_to, notices_to
from tests.pages import PageClient
from tests.people import PASSWORD, Person
from webapp.accounts import deleting
from webapp.accounts import service as accounts
from webapp.accounts.models import User
from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.chat.models import Conversation, Message
from webapp.database import db
from webapp.extensions import db as database
from webapp.identity.models import LoginSession, SignIn
from webapp.llm.models import UsageEntry

PAGE = "/profile/data"


def export(client: PageClient) -> zipfile.ZipFile:
    response = client.submit(f"{PAGE}/export", page=PAGE)
    assert response.status_code == 200
    assert response.mimetype == "application/zip"
    assert "attachment" in response.headers["Content-Disposition"]
    return zipfile.ZipFile(io.BytesIO(response.data))


def delete(client: PageClient, **data: str):
    return client.submit(f"{PAGE}/delete", {"sure": "y", **data}, page=PAGE)


def test_export_holds_everything_as_pages_and_json(
    app: Flask, signed_in: PageClient, user: Person, other_signed_in: PageClient
) -> None:
    wait_for_end(signed_in, ask(signed_in, text="What is <b>porcelain</b>?")["answer"])
    wait_for_end(other_signed_in, ask(other_signed_in, text="A secret of somebody else")["answer"])
    archive = export(signed_in)
    assert archive.testzip() is None
    names = set(archive.namelist())
    for name in ("profile", "sessions", "sign-ins", "api-tokens", "audit", "usage", "chats/00001"):
        assert {f"{name}.json", f"{name}.html"} <= names, name
    (profile,) = json.loads(archive.read("profile.json"))
    assert profile["email"] == user.email
    assert json.loads(archive.read("sign-ins.json"))[0]["outcome"] == "ok"
    assert json.loads(archive.read("usage.json"))
    chat = json.loads(archive.read("chats/00001.json"))
    assert [each.get("role") for each in chat] == [None, "user", "assistant"]
    assert chat[1]["text"] == "What is <b>porcelain</b>?"
    page = archive.read("chats/00001.html").decode()
    assert "What is &lt;b&gt;porcelain&lt;/b&gt;?" in page
    assert "<script" not in page
    for name in names:
        content = archive.read(name)
        assert b"A secret of somebody else" not in content, name
        assert b"$argon2" not in content, name
    with app.app_context():
        events = list(db.session.scalars(select(AuditEntry.event)))
        assert Event.USER_EXPORTED_DATA in events
        assert list((app.extensions["settings"].instance_path / "exports").iterdir()) == [], "nothing is left"


def test_export_needs_a_fresh_proof(signed_in: PageClient) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)):
        assert signed_in.submit(f"{PAGE}/export", page=PAGE).location.startswith("/confirm")
        assert delete(signed_in).location.startswith("/confirm")


def test_deletion_wants_a_tick(app: Flask, signed_in: PageClient) -> None:
    assert delete(signed_in, sure="").status_code == 422
    assert signed_in.get("/profile").status_code == 200


def test_account_can_be_kept_in_the_days_of_grace(app: Flask, signed_in: PageClient, user: Person) -> None:
    assert delete(signed_in).location == "/login"
    assert "will be deleted in 7 days" in signed_in.get("/login").text
    assert signed_in.get("/profile").status_code == 302
    assert notices_to(app, user.email) == ["deletion_asked"]
    client: PageClient = app.test_client()  # type: ignore[assignment]
    login = {"login": user.username, "password": PASSWORD}
    assert client.submit("/login", login).location == "/login/keep"
    assert client.get("/profile").status_code == 302, "no session before it is taken back"
    assert "Keep my account" in client.get("/login/keep").text
    assert client.submit("/login/keep").location == "/chat"
    assert client.get("/profile").status_code == 200
    with app.app_context():
        row = db.session.get_one(User, user.id)
        assert (row.state, row.deletion_due_at) == ("active", None)
        deleting.erase_due()
        assert db.session.get(User, user.id) is not None


def test_wrong_password_tells_nothing_of_the_deletion(
    client: PageClient, signed_in: PageClient, user: Person
) -> None:
    delete(signed_in)
    response = client.submit("/login", {"login": user.username, "password": "not this one"})
    assert response.status_code == 422
    assert "That name and password do not match." in response.text


@pytest.mark.usefixtures("other")
def test_after_the_days_of_grace_nothing_is_left_but_figures_and_the_record(
    app: Flask, signed_in: PageClient, user: Person, other: Person
) -> None:
    wait_for_end(signed_in, ask(signed_in)["answer"])
    with app.app_context():
        row = db.session.get_one(User, user.id)
        accounts.set_avatar(row, io.BytesIO(picture()))
        file = accounts.avatar_path(row.avatar_id or "")
        assert file.exists()
    delete(signed_in)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=6, hours=23)), app.app_context():
        assert accounts.erase_due() == 0
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=7, minutes=1)), app.app_context():
        assert accounts.erase_due() == 1
        assert accounts.erase_due() == 0
    with app.app_context():
        assert db.session.get(User, user.id) is None
        assert db.session.get(User, other.id) is not None
        assert db.session.scalar(select(func.count()).select_from(Conversation)) == 0
        assert db.session.scalar(select(func.count()).select_from(Message)) == 0
        for table in (LoginSession, SignIn):
            query = select(func.count()).select_from(table).where(table.subject_id == user.id)
            assert db.session.scalar(query) == 0
        entry = db.session.scalars(select(UsageEntry)).one()
        assert entry.user_id is None
        gone = db.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.USER_DELETED)).one()
        assert gone.target_name == user.username
    assert not file.exists()
    assert letters_to(app, user.email) == []


def test_kept_at_the_last_moment_or_erased_but_never_both(each_app: Flask) -> None:
    """Erasing looks again, in its own transaction, whether the account is still to be deleted."""
    with each_app.test_request_context():
        made = accounts.add_user(email="a@example.com", username="somebody", password=PASSWORD)
        accounts.ask_deletion(made)
        user_id = made.id
        made.state = "active"
        database.session.commit()
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=8)):
            assert not deleting.erase(user_id)
            made.state = "deleting"
            database.session.commit()
            assert deleting.erase(user_id)
