"""The page of one user: what it shows, what it never shows, and what administrators can do."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask

from tests.audit_entries import entries
from tests.chat.waiting import ask, wait_for_end
from tests.letters import letters_to
from tests.pages import PageClient
from tests.people import PASSWORD, Person, add_admin, sign_in, sign_in_admin
from webapp.accounts.models import User
from webapp.audit.rules import Event
from webapp.database import db

LIST = "/admin/users/"
ACTS = ("suspend", "restore", "unlock", "sessions", "tokens", "reset", "link")


def user_state(app: Flask, person: Person) -> str:
    with app.app_context():
        return db.session.get_one(User, person.id).state


def test_page_shows_the_account_and_nothing_that_was_written(
    app: Flask, user: Person, signed_in: PageClient, admin_client: PageClient
) -> None:
    wait_for_end(signed_in, ask(signed_in, "My secret plan is to bake bread")["answer"])
    page = admin_client.get(f"{LIST}{user.public_id}").text
    for word in (
        user.email,
        user.username,
        "Lin Yue",
        "Unverified",
        "127.0.0.1",
        "Signed in",
        "User signed in",
    ):
        assert word in page
    assert "secret plan" not in page
    assert "bake bread" not in page


@pytest.mark.parametrize("act", ACTS)
def test_looking_at_an_act_does_nothing(app: Flask, user: Person, admin_client: PageClient, act: str) -> None:
    response = admin_client.get(f"{LIST}{user.public_id}/{act}")
    assert response.status_code == 200
    assert user_state(app, user) == "active"
    assert letters_to(app, user.email) == []


def test_suspend_wants_a_reason_and_restore_takes_it_back(
    app: Flask, user: Person, signed_in: PageClient, admin_client: PageClient, admin: Person
) -> None:
    path = f"{LIST}{user.public_id}/suspend"
    assert admin_client.submit(path, {"reason": " "}).status_code == 422
    assert user_state(app, user) == "active"
    assert admin_client.submit(path, {"reason": "Stolen account"}).status_code == 303
    assert signed_in.get("/chat").location.startswith("/login")
    (entry,) = entries(app, Event.USER_SUSPENDED)
    assert (entry["actor"], entry["after"]["reason"]) == (("admin", admin.username), "Stolen account")
    assert "Suspended" in admin_client.get(f"{LIST}{user.public_id}").text
    again = admin_client.submit(path, {"reason": "x"})
    assert again.status_code == 422
    assert "suspended already" in again.text
    assert admin_client.submit(f"{LIST}{user.public_id}/restore").status_code == 303
    assert user_state(app, user) == "active"


def test_reset_by_mail(app: Flask, user: Person, admin_client: PageClient) -> None:
    assert admin_client.submit(f"{LIST}{user.public_id}/reset").status_code == 303
    (letter,) = [each for each in letters_to(app, user.email) if "link" in each]
    assert letter["link"].startswith("http://localhost/")
    assert letter["link"] not in admin_client.get(f"{LIST}{user.public_id}").text


def test_link_is_shown_once_and_sets_a_password(app: Flask, user: Person, admin_client: PageClient) -> None:
    """H4: the administrator hands a link over; the password is the user's."""
    response = admin_client.submit(f"{LIST}{user.public_id}/link")
    assert response.status_code == 200
    found = re.search(r'<code class="one-time"[^>]*>([^<]+)', response.text)
    assert found
    link = html.unescape(found[1]).strip().removeprefix("http://localhost")
    assert link not in admin_client.get(f"{LIST}{user.public_id}").text
    stranger = app.test_client()
    assert stranger.submit(link, {"password": "a whole new sentence"}).status_code in {200, 303}
    person = Person(user.id, user.public_id, user.username, user.email, "a whole new sentence")
    assert sign_in(app, person).get("/chat").status_code == 200
    (entry,) = entries(app, Event.USER_RESET_STARTED)
    assert entry["after"] == {"by": "link"}
    assert "a whole new sentence" not in str(entry)


def test_sessions_end_and_the_password_stays(
    app: Flask, user: Person, signed_in: PageClient, admin_client: PageClient
) -> None:
    assert admin_client.submit(f"{LIST}{user.public_id}/sessions").status_code == 303
    assert signed_in.get("/chat").location.startswith("/login")
    assert sign_in(app, user).get("/chat").status_code == 200


def test_locked_account_says_so_and_is_unlocked(
    app: Flask, user: Person, client: PageClient, admin_client: PageClient
) -> None:
    for _attempt in range(12):
        client.submit("/login", {"login": user.username, "password": "wrong wrong wrong"})
    assert "new devices have to wait" in admin_client.get(f"{LIST}{user.public_id}").text
    assert admin_client.submit(f"{LIST}{user.public_id}/unlock").status_code == 303
    assert "new devices have to wait" not in admin_client.get(f"{LIST}{user.public_id}").text
    assert client.submit("/login", {"login": user.username, "password": PASSWORD}).status_code == 303


def test_unknown_users_and_acts_are_not_found(admin_client: PageClient, user: Person) -> None:
    for path in ("x" * 22, f"{'x' * 22}/suspend", f"{user.public_id}/delete", f"{user.id}"):
        assert admin_client.get(f"{LIST}{path}").status_code == 404
        if "/" in path:
            assert admin_client.submit(f"{LIST}{path}", {"reason": "x"}, page=LIST).status_code == 404


def test_auditor_looks_and_changes_nothing(app: Flask, user: Person) -> None:
    auditor = sign_in_admin(app, add_admin(app, "audrey", "auditor"))
    page = auditor.get(f"{LIST}{user.public_id}")
    assert page.status_code == 200
    assert "/suspend" not in page.text
    for act in ACTS:
        assert auditor.get(f"{LIST}{user.public_id}/{act}").status_code == 403
        assert auditor.submit(f"{LIST}{user.public_id}/{act}", page=LIST).status_code == 403
    assert user_state(app, user) == "active"


def test_operator_without_the_audit_permission_sees_no_entries(app: Flask, user: Person) -> None:
    sign_in(app, user)
    operator = sign_in_admin(app, add_admin(app, "olga", "operator"))
    assert "user:signed_in" not in operator.get(f"{LIST}{user.public_id}").text
