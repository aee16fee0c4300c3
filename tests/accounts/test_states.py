"""Suspending, restoring, inviting and resetting, by administrators and from the shell (H4, works without mail)."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.conftest import make_settings, running
from tests.letters import letters_to, notices_to
from tests.pages import PageClient
from tests.people import PASSWORD, Person
from webapp.accounts import service as accounts
from webapp.accounts.models import User
from webapp.audit import service as audit
from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.database import db
from webapp.errors import AppError, Conflict

NEW = "another quiet evening"


def run(app: Flask, *arguments: str):
    return app.test_cli_runner().invoke(args=["users", *arguments])


def path_of(link: str) -> str:
    assert link.startswith("http://localhost/")
    return link.removeprefix("http://localhost")


def row_of(app: Flask, person: Person) -> User:
    with app.app_context():
        return db.session.get_one(User, person.id)


def test_suspension_ends_access_at_once_and_is_recorded(
    app: Flask, signed_in: PageClient, user: Person
) -> None:
    with app.app_context():
        accounts.suspend(accounts.get_user(user.public_id), actor=audit.SYSTEM, reason="complaint")
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.USER_SUSPENDED)).one()
        assert "complaint" in entry.after
    assert signed_in.get("/profile").status_code == 302
    client: PageClient = app.test_client()  # type: ignore[assignment]
    login = {"login": user.username, "password": PASSWORD}
    assert client.submit("/login", login).status_code == 422
    with app.app_context():
        accounts.restore(accounts.get_user(user.public_id), actor=audit.SYSTEM)
    assert client.submit("/login", login).status_code == 303


def test_signing_out_everywhere(app: Flask, signed_in: PageClient, user: Person) -> None:
    with app.app_context():
        assert accounts.end_sessions(accounts.get_user(user.public_id), actor=audit.SYSTEM) == 1
    assert signed_in.get("/profile").status_code == 302


def test_reset_by_mail_sets_the_password_with_a_link_that_works_once(
    app: Flask, client: PageClient, signed_in: PageClient, user: Person
) -> None:
    with app.app_context():
        accounts.start_reset(accounts.get_user(user.public_id), actor=audit.SYSTEM)
    link = path_of(letters_to(app, user.email)[0]["link"])
    assert signed_in.get("/profile").status_code == 200, "asking alone changes nothing"
    page = client.get(link)
    assert user.username in page.text
    assert client.submit(link, {"password": "short"}).status_code == 422
    assert client.submit(link, {"password": NEW}).location == "/login"
    assert client.get(link).status_code == 404
    assert signed_in.get("/profile").status_code == 302
    assert notices_to(app, user.email) == ["password_reset"]
    assert client.submit("/login", {"login": user.username, "password": NEW}).status_code == 303


def test_newer_link_ends_the_older_one(app: Flask, client: PageClient, user: Person) -> None:
    older, newer = (path_of(run(app, "reset-link", user.username).output.strip()) for _turn in range(2))
    assert client.get(older).status_code == 404
    assert client.get(newer).status_code == 200


def test_link_expires(app: Flask, client: PageClient, user: Person) -> None:
    link = path_of(run(app, "reset-link", user.email).output.strip())
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=24, minutes=1)):
        assert client.get(link).status_code == 404


@pytest.mark.parametrize("path", ["/password/link/x", "/security/not-me/x", "/security/address/x"])
def test_invented_links_are_404(client: PageClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path, data={"csrf_token": client.csrf_token(), "password": NEW}).status_code == 404


def test_link_is_of_no_use_for_a_suspended_account(app: Flask, client: PageClient, user: Person) -> None:
    link = path_of(run(app, "reset-link", user.username).output.strip())
    assert run(app, "suspend", user.username).exit_code == 0
    assert client.get(link).status_code == 404
    assert run(app, "reset-link", user.username).exit_code == 1
    assert run(app, "restore", user.username).exit_code == 0
    assert client.get(link).status_code == 404, "it ended with the suspension"


def test_somebody_added_from_the_shell_sets_a_password_and_signs_in(app: Flask, client: PageClient) -> None:
    result = run(app, "add", "zhao.liu", "--email", "zhao.liu@example.com", "--name", "赵六")
    assert result.exit_code == 0
    assert client.submit("/login", {"login": "zhao.liu", "password": ""}).status_code == 422
    link = path_of(result.output.strip().splitlines()[-1])
    assert client.submit(link, {"password": NEW}).location == "/login"
    assert client.submit("/login", {"login": "zhao.liu", "password": NEW}).status_code == 303
    assert "zhao.liu\tzhao.liu@example.com\tactive" in run(app, "list").output
    assert run(app, "list", "--state", "invited").output == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "lin.yue", "--email", "new@example.com"),
        ("add", "new.one", "--email", "LIN.YUE@example.com"),
        ("add", "new.one", "--email", "nonsense"),
        ("suspend", "nobody"),
        ("restore", "lin.yue"),
        ("reset-link", "nobody@example.com"),
    ],
)
def test_refusals_of_the_shell_are_told_and_end_with_1(
    app: Flask, user: Person, arguments: tuple[str, ...]
) -> None:
    result = run(app, *arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")


def test_restoring_somebody_who_never_had_a_password_invites_again(app: Flask) -> None:
    with app.test_request_context():
        made = accounts.invite(actor=audit.SYSTEM, email="a@example.com", username="somebody")
        accounts.suspend(made, actor=audit.SYSTEM)
        accounts.restore(made, actor=audit.SYSTEM)
        assert made.state == "invited"
    assert letters_to(app, "a@example.com")[0]["purpose"] == "invitation"


def test_of_two_uses_of_a_link_at_once_one_counts(each_app: Flask) -> None:
    with each_app.test_request_context():
        made = accounts.add_user(email="a@example.com", username="somebody", password=PASSWORD)
        token = accounts.reset_link(made, actor=audit.SYSTEM).rpartition("/")[2]
    told: list[str] = []
    gate = threading.Barrier(4)

    def use(number: int) -> None:
        with each_app.test_request_context():
            gate.wait()
            try:
                accounts.reset_by_link(token=token, password=f"another quiet evening {number}")
                told.append("set")
            except AppError as error:
                told.append(error.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(told) == ["link_dead"] * 3 + ["set"]


def test_twice_is_a_conflict(app: Flask, user: Person) -> None:
    with app.test_request_context():
        row = accounts.get_user(user.public_id)
        accounts.suspend(row, actor=audit.SYSTEM)
        with pytest.raises(Conflict):
            accounts.suspend(row, actor=audit.SYSTEM)


def test_production_without_mail_starts_and_links_do(instance) -> None:
    settings = make_settings(
        instance,
        profile="production",
        public_url="https://tools.example.com",
        scripted_models=False,
        secret_key="k9" * 24,
    )
    assert not settings.can_mail
    for app in running(settings):
        base = "https://tools.example.com"
        link = run(app, "add", "zhao.liu", "--email", "zhao.liu@example.com").output.strip().splitlines()[-1]
        assert link.startswith(f"{base}/password/link/")
        client = app.test_client()
        assert client.get(link, base_url=base).status_code == 200
        page = client.get("/password/forgot", base_url=base).text
        assert "This site sends no mail" in page
        with app.app_context():
            from webapp.mail import delivery

            assert delivery.deliver_due() == 0
