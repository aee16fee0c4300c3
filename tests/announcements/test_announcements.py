"""Announcements: who sees them and when, in which language, and that they stay away once dismissed."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from tests.audit_entries import entries
from tests.pages import PageClient
from tests.people import Person, add_admin, sign_in, sign_in_admin
from webapp.announcements import service, showing
from webapp.announcements.models import AnnouncementDismissal
from webapp.announcements.rules import TEXT_MAX_LENGTH
from webapp.announcements.service import Draft
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db
from webapp.lib import clock

LIST, NEW = "/admin/announcements/", "/admin/announcements/new"
TEXT = "Maintenance at **23:00**"
SHOWN = "Maintenance at <strong>23:00</strong>"
FIELDS = {
    "text_en": TEXT,
    "text_zh": "维护",
    "audience": "everybody",
    "level": "info",
    "starts_at": "2026-01-01T10:00",
    "ends_at": "",
}


def announce(app: Flask, **values: object) -> str:
    """Publish an announcement and return its public id."""
    now = clock.utc_now()
    plain: dict[str, object] = {
        "text_en": TEXT,
        "text_zh": "",
        "audience": "everybody",
        "level": "info",
        "starts_at": now - dt.timedelta(hours=1),
        "ends_at": None,
    }
    with app.app_context():
        found = service.create(Draft(**(plain | values)), actor=audit.SYSTEM)  # type: ignore[arg-type]
        showing.board().forget()
        return found.public_id


@pytest.mark.parametrize(
    ("audience", "stranger_sees", "user_sees", "admin_sees"),
    [("everybody", True, True, True), ("users", False, True, False), ("admins", False, False, True)],
)
def test_audience(
    app: Flask,
    client: PageClient,
    signed_in: PageClient,
    admin_client: PageClient,
    audience: str,
    *,
    stranger_sees: bool,
    user_sees: bool,
    admin_sees: bool,
) -> None:
    announce(app, audience=audience)
    assert (SHOWN in client.get("/login").text) is stranger_sees
    assert (SHOWN in signed_in.get("/profile").text) is user_sees
    assert (SHOWN in admin_client.get("/admin/").text) is admin_sees


@pytest.mark.parametrize(
    ("starts", "ends", "seen"), [(-2, None, True), (-2, 1, True), (1, None, False), (-2, -1, False)]
)
def test_time(app: Flask, client: PageClient, starts: int, ends: int | None, seen: bool) -> None:
    now = clock.utc_now()
    announce(
        app,
        starts_at=now + dt.timedelta(hours=starts),
        ends_at=None if ends is None else now + dt.timedelta(hours=ends),
    )
    assert (SHOWN in client.get("/login").text) is seen


def test_language_of_the_reader_or_the_other_one(app: Flask, client: PageClient) -> None:
    announce(app, text_zh="今晚维护")
    chinese = {"Accept-Language": "zh-CN"}
    page = client.get("/login", headers=chinese).text
    assert "今晚维护" in page
    assert SHOWN not in page
    announce(app, text_en="", text_zh="只有中文")
    page = client.get("/login").text
    assert "只有中文" in page
    assert 'lang="zh-CN"><p>只有中文' in page.replace("\n", "")


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](https://evil.example/x.png)"]
)
def test_nothing_in_a_text_runs_or_is_fetched(app: Flask, client: PageClient, text: str) -> None:
    announce(app, text_en=text)
    page = client.get("/login").text
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert '<img src="https://evil' not in page


def test_dismissal_is_kept_on_the_account(
    app: Flask, user: Person, signed_in: PageClient, other_signed_in: PageClient, admin_client: PageClient
) -> None:
    notice = announce(app)
    path = f"/announcements/{notice}/dismiss"
    response = signed_in.submit(path, {"next": "/profile"}, page="/profile")
    assert (response.status_code, response.location) == (303, "/profile")
    assert SHOWN not in signed_in.get("/profile").text
    assert SHOWN not in sign_in(app, user).get("/profile").text, "nor on another device"
    assert SHOWN in other_signed_in.get("/profile").text
    assert SHOWN in admin_client.get("/admin/").text, "an administrator of the same number is somebody else"
    assert signed_in.submit(path, page="/profile").status_code == 303, "twice is harmless"


def test_administrators_dismiss_in_their_own_realm(app: Flask, admin_client: PageClient) -> None:
    notice = announce(app, audience="admins")
    path = f"/admin/announcements/{notice}/dismiss"
    assert admin_client.submit(path, page="/admin/").status_code == 303
    assert SHOWN not in admin_client.get("/admin/").text


def test_dismissing_needs_somebody_and_something(client: PageClient, signed_in: PageClient) -> None:
    token = client.csrf_token()
    assert client.post(f"/announcements/{'x' * 22}/dismiss", data={"csrf_token": token}).status_code == 401
    assert signed_in.submit(f"/announcements/{'x' * 22}/dismiss", page="/profile").status_code == 404


def test_written_in_the_administrators_zone_previewed_and_published(
    app: Flask, client: PageClient, admin_client: PageClient, admin: Person
) -> None:
    preview = admin_client.submit(NEW, FIELDS | {"preview": "yes"})
    assert preview.status_code == 200
    assert SHOWN in preview.text
    assert SHOWN not in client.get("/login").text, "a preview publishes nothing"
    assert admin_client.submit(NEW, FIELDS).status_code == 303
    assert SHOWN in client.get("/login").text
    (entry,) = entries(app, Event.ANNOUNCEMENT_CREATED)
    assert entry["actor"] == ("admin", admin.username)
    assert entry["after"]["text_en"] == TEXT
    assert entry["after"]["starts_at"] == "2026-01-01 10:00:00+00:00"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"text_en": " ", "text_zh": ""}, "Write the text"),
        ({"text_en": "x" * (TEXT_MAX_LENGTH + 1)}, "longer than"),
        ({"audience": "cats"}, "Not a valid choice"),
        ({"level": "x"}, "Not a valid choice"),
        ({"starts_at": "soon"}, "Not a valid datetime"),
        ({"starts_at": ""}, "Fill this in"),
        ({"ends_at": "2025-01-01T10:00"}, "has to come after"),
    ],
)
def test_what_cannot_be_shown_is_refused_beside_its_field(
    app: Flask, admin_client: PageClient, changes: dict[str, str], told: str
) -> None:
    response = admin_client.submit(NEW, FIELDS | changes)
    assert response.status_code == 422
    assert told in response.text
    assert entries(app, Event.ANNOUNCEMENT_CREATED) == []


def test_changing_the_text_brings_it_back_and_changing_its_end_does_not(
    app: Flask, signed_in: PageClient, admin_client: PageClient
) -> None:
    notice = announce(app)
    signed_in.submit(f"/announcements/{notice}/dismiss", page="/profile")
    assert admin_client.submit(f"{LIST}{notice}", FIELDS | {"text_zh": ""}).status_code == 303
    with app.app_context():
        assert db.session.query(AnnouncementDismissal).count() == 1
    assert admin_client.submit(f"{LIST}{notice}", FIELDS | {"text_en": "New text"}).status_code == 303
    assert "New text" in signed_in.get("/profile").text
    entry = entries(app, Event.ANNOUNCEMENT_CHANGED)[-1]
    assert (entry["before"]["text_en"], entry["after"]["text_en"]) == (TEXT, "New text")


def test_deleted_means_gone(app: Flask, client: PageClient, admin_client: PageClient) -> None:
    notice = announce(app)
    assert SHOWN in client.get("/login").text
    assert admin_client.submit(f"{LIST}{notice}/delete", page=LIST).status_code == 303
    assert SHOWN not in client.get("/login").text
    assert entries(app, Event.ANNOUNCEMENT_DELETED)[0]["before"]["text_en"] == TEXT
    for path in (f"{LIST}{notice}/delete", f"{LIST}{notice}"):
        assert admin_client.submit(path, FIELDS, page=LIST).status_code == 404


def test_list_and_its_empty_state(app: Flask, admin_client: PageClient) -> None:
    assert "No announcements" in admin_client.get(LIST).text
    announce(app, starts_at=clock.utc_now() + dt.timedelta(days=1))
    page = admin_client.get(LIST).text
    assert "Maintenance at **23:00**" in page
    assert "Planned" in page


def test_operator_looks_and_changes_nothing(app: Flask) -> None:
    notice = announce(app)
    operator = sign_in_admin(app, add_admin(app, "olga", "operator"))
    page = operator.get(LIST)
    assert page.status_code == 200
    assert "/new" not in page.text
    assert operator.get(NEW).status_code == 403
    assert operator.submit(f"{LIST}{notice}/delete", page=LIST).status_code == 403


def test_loudest_first_and_no_more_than_three(app: Flask, client: PageClient) -> None:
    for number, level in enumerate(["info", "urgent", "info", "warning", "info"]):
        announce(app, text_en=f"Notice {number}", level=level)
    page = client.get("/login").text
    assert page.count("announcement ") == 3
    assert page.index("Notice 1") < page.index("Notice 3") < page.index("Notice 4")
