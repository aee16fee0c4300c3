"""One act on many users: what it would do is told first; each user has a result of their own."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.accounts.admin.crowd import crowd, new_user
from tests.audit_entries import entries
from tests.chat.waiting import ask
from tests.letters import letters_to
from tests.pages import PageClient, read
from tests.people import Person, add_admin, sign_in, sign_in_admin
from webapp.accounts.administration.bulk import BULK_MAX
from webapp.accounts.models import User
from webapp.audit.rules import Event
from webapp.database import db

LIST, PREVIEW, APPLY = "/admin/users/", "/admin/users/bulk", "/admin/users/bulk/apply"


def ids(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(User.public_id).order_by(User.id)))


def states(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(User.state).order_by(User.id)))


def send(client: PageClient, path: str, **fields: object) -> str:
    response = client.submit(path, fields, page=LIST)
    assert response.status_code == 200, response.text
    return response.text


def test_preview_tells_how_many_and_changes_nothing(
    app: Flask, signed_in: PageClient, admin_client: PageClient
) -> None:
    crowd(app, 2)
    ask(signed_in, "Tell me a long story", "scripted-slow")
    page = send(admin_client, PREVIEW, act="suspend", user=ids(app))
    assert "3 users, 1 has an answer being written" in page
    assert "person.0001@example.com" in page
    assert states(app) == ["active"] * 3


def test_suspending_ends_access_and_is_recorded_for_each(
    each_app: Flask,
) -> None:
    crowd(each_app, 3)
    client = sign_in_admin(each_app, add_admin(each_app, "mei.chen"))
    page = send(client, APPLY, act="suspend", user=ids(each_app)[:2], reason="Spam from this school")
    assert "done for 2 of 2" in page
    assert states(each_app) == ["suspended", "suspended", "active"]
    each = entries(each_app, Event.USER_SUSPENDED)
    assert [entry["after"]["reason"] for entry in each] == ["Spam from this school"] * 2
    (whole,) = entries(each_app, Event.USERS_BULK_CHANGED)
    assert whole["after"] == {"act": "suspend", "done": 2, "of": 2, "reason": "Spam from this school"}


def test_suspended_user_is_out_at_once(app: Flask, user: Person, admin_client: PageClient) -> None:
    browser = sign_in(app, user)
    send(admin_client, APPLY, act="suspend", user=[user.public_id], reason="Stolen")
    assert browser.get("/chat").location.startswith("/login")


def test_a_reason_is_asked_for(app: Flask, admin_client: PageClient) -> None:
    crowd(app, 1)
    response = admin_client.submit(APPLY, {"act": "suspend", "user": ids(app), "reason": "  "}, page=LIST)
    assert response.status_code == 422
    assert "Say why" in response.text
    assert states(app) == ["active"]
    assert entries(app, Event.USERS_BULK_CHANGED) == []


def test_each_user_has_a_result(app: Flask, admin_client: PageClient) -> None:
    crowd(app, 3)
    with app.app_context():
        db.session.execute(update(User).where(User.id == 2).values(state="suspended"))
        db.session.commit()
    page = send(admin_client, PREVIEW, act="suspend", user=ids(app))
    assert "1 will be left as it is" in page
    page = send(admin_client, APPLY, act="suspend", user=ids(app), reason="Spam")
    assert "done for 2 of 3" in page
    assert "suspended already" in page
    assert states(app) == ["suspended"] * 3


def test_everybody_who_matches_is_found_again_when_it_is_done(app: Flask, admin_client: PageClient) -> None:
    crowd(app, 60)
    with app.app_context():
        db.session.add(new_user("stranger"))
        db.session.commit()
    page = send(admin_client, PREVIEW, act="suspend", everybody="yes", filter_q="person")
    assert "60 users" in page
    assert "The filter is applied again" in page
    with app.app_context():
        db.session.add(new_user("person.new"))
        db.session.delete(db.session.get(User, 1))
        db.session.commit()
    fields = read(
        admin_client.submit(PREVIEW, {"act": "suspend", "everybody": "yes", "filter_q": "person"}, page=LIST)
    )
    (form,) = [each for each in fields.forms if each.get("action") == APPLY]
    sent = {name: value for name, value in form["fields"].items() if name} | {"reason": "Spam"}
    assert "done for 60 of 60" in admin_client.post(APPLY, data=sent).text
    assert states(app).count("active") == 1
    assert entries(app, Event.USERS_BULK_CHANGED)[0]["after"]["filter"] == {"q": "person"}


def test_restoring_ending_sessions_and_reset_mails(
    app: Flask, user: Person, admin_client: PageClient
) -> None:
    browser = sign_in(app, user)
    send(admin_client, APPLY, act="end_sessions", user=[user.public_id])
    assert browser.get("/chat").location.startswith("/login")
    send(admin_client, APPLY, act="start_reset", user=[user.public_id])
    assert any("link" in letter for letter in letters_to(app, user.email))
    send(admin_client, APPLY, act="suspend", user=[user.public_id], reason="x")
    assert "Restore it first" in send(admin_client, APPLY, act="start_reset", user=[user.public_id])
    send(admin_client, APPLY, act="restore", user=[user.public_id])
    assert sign_in(app, user).get("/chat").status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"act": "suspend", "reason": "x"}, 422),
        ({"act": "suspend", "reason": "x", "user": "x" * 22}, 422),
        ({"act": "delete_everything", "user": "x" * 22}, 422),
        ({"user": "x" * 22}, 422),
        ({"act": "suspend", "reason": "x", "everybody": "yes", "filter_state": "nobody"}, 422),
        ({"act": "suspend", "reason": "x", "everybody": "yes", "filter_q": "nobody"}, 422),
    ],
)
def test_what_cannot_be_done_is_refused(
    app: Flask, admin_client: PageClient, fields: dict[str, str], status: int
) -> None:
    crowd(app, 1)
    for path in (PREVIEW, APPLY):
        assert admin_client.submit(path, fields, page=LIST).status_code == status
    assert states(app) == ["active"]


def test_no_more_than_a_bounded_number_at_once(app: Flask, admin_client: PageClient) -> None:
    crowd(app, BULK_MAX + 1)
    for path in (PREVIEW, APPLY):
        response = admin_client.submit(path, {"act": "end_sessions", "everybody": "yes"}, page=LIST)
        assert response.status_code == 422
        assert "Narrow the filter" in response.text


def test_auditor_sees_no_bar_and_is_refused(app: Flask) -> None:
    crowd(app, 1)
    auditor = sign_in_admin(app, add_admin(app, "audrey", "auditor"))
    assert "bulk" not in auditor.get(LIST).text.replace("users-bulk", "")
    for path in (PREVIEW, APPLY):
        fields = {"act": "suspend", "user": ids(app), "reason": "x"}
        assert auditor.submit(path, fields, page=LIST).status_code == 403
    assert states(app) == ["active"]
