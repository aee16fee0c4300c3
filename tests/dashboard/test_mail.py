"""The outbox and the codes in the dashboard: states, sending again, cancelling, and nothing of their content."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from tests.audit_entries import entries
from tests.letters import codes_to
from tests.pages import PageClient
from tests.people import Person, add_admin, sign_in_admin
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.identity import service as identity
from webapp.identity.models import VerificationCode
from webapp.identity.rules import Purpose
from webapp.lib import clock
from webapp.mail import delivery, outbox
from webapp.mail.administration import MAILS_PER_PAGE
from webapp.mail.models import MailMessage, MailState

ADDRESS = "new.person@example.com"


def queue(app: Flask, *, to: str = ADDRESS, withheld: bool = False, **values: object) -> str:
    """Put a mail into the outbox and return its public id."""

    @write_transaction
    def add() -> MailMessage:
        context = {"event": "password_changed", "happened_at": clock.utc_now().isoformat(), "timezone": "UTC"}
        outbox.enqueue(to=to, template="notice", locale="en", context=context, withheld=withheld)
        message = next(iter(db.session.new))
        for name, value in values.items():
            setattr(message, name, value)
        return message

    with app.app_context():
        return add().public_id


def mail(app: Flask, mail_id: str) -> MailMessage:
    with app.app_context():
        return db.session.scalars(select(MailMessage).where(MailMessage.public_id == mail_id)).one()


def ask_code(app: Flask, address: str = ADDRESS) -> None:
    with app.test_client() as client:
        assert client.submit("/register", {"email": address, "send": "yes"}).status_code == 303


def test_list_shows_where_mail_stands_and_never_what_is_in_it(app: Flask, admin_client: PageClient) -> None:
    ask_code(app)
    (code,) = codes_to(app, ADDRESS)
    queue(app, to="other@example.com", state="failed", attempts=8, last_error="SMTP 550")
    page = admin_client.get("/admin/mail/").text
    assert ADDRESS in page
    assert "SMTP 550" in page
    assert "Failed" in page
    assert code not in page
    assert code not in admin_client.get("/admin/codes/").text


def test_withheld_mail_is_not_shown(app: Flask, admin_client: PageClient) -> None:
    hidden = queue(app, withheld=True)
    assert "No mail" in admin_client.get("/admin/mail/").text
    path = f"/admin/mail/{hidden}/cancel"
    assert admin_client.submit(path, page="/admin/mail/").status_code == 404


def test_filters_and_pages(each_app: Flask) -> None:
    client = sign_in_admin(each_app, add_admin(each_app, "mei.chen"))
    for number in range(MAILS_PER_PAGE + 2):
        queue(each_app, to=f"p{number}@example.com", state="sent" if number else "failed")
    page = client.get("/admin/mail/").text
    assert page.count("@example.com</b>") == MAILS_PER_PAGE
    assert "after=" in page
    assert client.get("/admin/mail/?state=failed").text.count("@example.com</b>") == 1
    assert client.get("/admin/mail/?address=p7@example.com").text.count("@example.com</b>") == 1
    assert client.get("/admin/mail/?state=withheld").status_code == 422
    assert client.get("/admin/mail/?after=x").status_code == 422


def test_failed_mail_is_sent_again_and_recorded(app: Flask, admin_client: PageClient, admin: Person) -> None:
    failed = queue(app, state="failed", attempts=8, next_attempt_at=clock.utc_now() + dt.timedelta(hours=1))
    response = admin_client.submit(f"/admin/mail/{failed}/retry", page="/admin/mail/")
    assert response.status_code == 303
    again = mail(app, failed)
    assert again.state == MailState.QUEUED.value
    assert again.next_attempt_at <= clock.utc_now()
    (entry,) = entries(app, Event.MAIL_RETRIED)
    assert entry["actor"] == ("admin", admin.username)
    assert entry["target"] == ("mail", ADDRESS)


@pytest.mark.parametrize(
    "values",
    [
        {"state": "sent", "attempts": 1},
        {"state": "failed", "attempts": 8, "sealed_context": ""},
        {"state": "failed", "attempts": 8, "expires_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
        {"state": "queued", "attempts": 0},
    ],
)
def test_what_cannot_be_sent_again_is_refused(
    app: Flask, admin_client: PageClient, values: dict[str, object]
) -> None:
    closed = queue(app, **values)
    assert admin_client.submit(f"/admin/mail/{closed}/retry", page="/admin/mail/").status_code == 409
    assert entries(app, Event.MAIL_RETRIED) == []


def test_cancelled_mail_does_not_go_out_and_is_erased(app: Flask, admin_client: PageClient) -> None:
    waiting = queue(app)
    assert admin_client.submit(f"/admin/mail/{waiting}/cancel", page="/admin/mail/").status_code == 303
    cancelled = mail(app, waiting)
    assert (cancelled.state, cancelled.sealed_context) == (MailState.CANCELLED.value, "")
    assert admin_client.submit(f"/admin/mail/{waiting}/cancel", page="/admin/mail/").status_code == 409
    assert len(entries(app, Event.MAIL_CANCELLED)) == 1


def test_content_of_failed_mail_is_erased_once_it_is_of_no_use(app: Flask) -> None:
    failed = queue(app, state="failed", expires_at=clock.utc_now() - dt.timedelta(minutes=1))
    with app.app_context():
        delivery.expire()
    assert mail(app, failed).sealed_context == ""


def test_auditor_looks_and_changes_nothing(app: Flask) -> None:
    waiting = queue(app)
    auditor = sign_in_admin(app, add_admin(app, "audrey", "auditor"))
    page = auditor.get("/admin/mail/")
    assert page.status_code == 200
    assert "/cancel" not in page.text
    for path in (f"/admin/mail/{waiting}/cancel", f"/admin/mail/{waiting}/retry"):
        assert auditor.submit(path, page="/admin/mail/").status_code == 403
    assert mail(app, waiting).state == MailState.QUEUED.value


def test_absent_mail_is_not_found(admin_client: PageClient) -> None:
    for verb in ("retry", "cancel"):
        assert admin_client.submit(f"/admin/mail/{'x' * 22}/{verb}", page="/admin/mail/").status_code == 404


def test_codes_are_listed_by_state(app: Flask, admin_client: PageClient) -> None:
    with app.app_context():
        now = clock.utc_now()
        for address, values in {
            "open": {},
            "used": {"used_at": now, "tries_left": 0},
            "dead": {"tries_left": 0},
            "expired": {"expires_at": now - dt.timedelta(minutes=1)},
        }.items():
            plain = {
                "purpose": "register",
                "code_hash": "x",
                "created_at": now,
                "expires_at": now + dt.timedelta(minutes=5),
            }
            db.session.add(VerificationCode(address=f"{address}@example.com", **(plain | values)))
        db.session.commit()
    for state in ("open", "used", "dead", "expired"):
        page = admin_client.get(f"/admin/codes/?state={state}").text
        assert f"<b>{state}@example.com</b>" in page
        assert page.count("@example.com</b>") == 1
    assert admin_client.get("/admin/codes/?address=USED@Example.com").text.count("@example.com</b>") == 1
    assert admin_client.get("/admin/codes/?state=x").status_code == 422


def test_cancelled_code_opens_nothing(app: Flask, admin_client: PageClient) -> None:
    ask_code(app)
    (code,) = codes_to(app, ADDRESS)
    with app.app_context():
        code_id = db.session.scalars(select(VerificationCode.public_id)).one()
    path = f"/admin/codes/{code_id}/cancel"
    assert admin_client.submit(path, page="/admin/codes/").status_code == 303

    @write_transaction
    def attempt() -> bool:
        return identity.consume_code(Purpose.REGISTER, ADDRESS, code).right

    with app.app_context():
        assert attempt() is False
    (entry,) = entries(app, Event.CODE_CANCELLED)
    assert entry["target"] == ("code", ADDRESS)
    assert admin_client.submit(path, page="/admin/codes/").status_code == 409
    assert admin_client.submit(f"/admin/codes/{'x' * 22}/cancel", page="/admin/codes/").status_code == 404


def test_auditor_cannot_cancel_a_code(app: Flask) -> None:
    ask_code(app)
    auditor = sign_in_admin(app, add_admin(app, "audrey", "auditor"))
    with app.app_context():
        code_id = db.session.scalars(select(VerificationCode.public_id)).one()
    assert "/cancel" not in auditor.get("/admin/codes/").text
    assert auditor.submit(f"/admin/codes/{code_id}/cancel", page="/admin/codes/").status_code == 403
