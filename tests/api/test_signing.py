"""Signing in through the API: the token, what ends it, and the second step."""

from __future__ import annotations

import datetime as dt

import pyotp
import pytest
import time_machine
from flask import Flask

from tests.api.calling import data_of, errors_of, log_in, plain, reason_of
from tests.letters import notices_to
from tests.pages import PageClient
from tests.people import PASSWORD, Person, add_admin
from webapp.accounts import service as accounts
from webapp.accounts.models import User
from webapp.admins import service as admins
from webapp.audit import service as audit
from webapp.config import Settings
from webapp.database import db, write_transaction
from webapp.identity import service as identity
from webapp.identity.rules import Realm

START = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
ME = "/api/user/profile/me"


@pytest.mark.parametrize("field", ["username", "email"])
def test_name_or_address_and_password_give_a_token(app: Flask, user: Person, field: str) -> None:
    answer = plain(app).post("/api/user/login", json={"username": getattr(user, field), "password": PASSWORD})
    given = data_of(answer)
    assert given["token"].startswith("at_login_")
    assert given["token_type"] == "Bearer"
    assert given["user"]["id"] == user.public_id
    assert dt.datetime.fromisoformat(given["expires_at"]) > dt.datetime.now(dt.UTC)
    me = plain(app).get(ME, headers={"Authorization": f"Bearer {given['token']}"})
    assert data_of(me)["username"] == user.username
    with app.app_context():
        for text in (
            db.session.connection().exec_driver_sql("SELECT token_hash FROM login_sessions").scalars()
        ):
            assert given["token"] not in text


@pytest.mark.parametrize(
    ("name", "password"), [("lin.yue", "wrong"), ("nobody", PASSWORD), ("lin.yue", "x" * 256)]
)
def test_the_refusal_tells_nothing_of_accounts(app: Flask, user: Person, name: str, password: str) -> None:
    assert user.username == "lin.yue"
    answer = plain(app).post("/api/user/login", json={"username": name, "password": password})
    assert answer.status_code == 401
    assert reason_of(answer) == "login_refused"
    assert errors_of(answer) == {"password": ["That name and password do not match."]}


def test_too_many_tries_have_to_wait_but_not_on_a_known_device(app: Flask, user: Person) -> None:
    client = plain(app)
    body = {"username": user.username, "password": PASSWORD}
    device = data_of(client.post("/api/user/login", json=body))["device_token"]
    for _try in range(6):
        last = client.post("/api/user/login", json={**body, "password": "wrong"})
    assert (last.status_code, reason_of(last)) == (429, "too_many_tries")
    assert int(last.headers["Retry-After"]) > 0
    assert client.post("/api/user/login", json=body).status_code == 429
    assert client.post("/api/user/login", json={**body, "device_token": device}).status_code == 200


def test_logout_ends_the_token_and_no_other(app: Flask, user: Person) -> None:
    first, second = log_in(app, user), log_in(app, user)
    assert plain(app).post("/api/user/logout", headers=first).status_code == 200
    assert plain(app).get(ME, headers=first).status_code == 401
    assert plain(app).get(ME, headers=second).status_code == 200


def test_a_new_password_ends_other_tokens_and_sessions(
    app: Flask, user: Person, signed_in: PageClient
) -> None:
    mine, other = log_in(app, user), log_in(app, user)
    body = {"current_password": PASSWORD, "new_password": "another good one 9"}
    assert plain(app).post("/api/user/password/change", json=body, headers=mine).status_code == 200
    assert plain(app).get(ME, headers=mine).status_code == 200
    assert plain(app).get(ME, headers=other).status_code == 401
    assert signed_in.get("/profile").status_code == 302
    assert "password_changed" in notices_to(app, user.email)


def test_a_suspension_ends_the_token(app: Flask, user: Person) -> None:
    headers = log_in(app, user)
    with app.test_request_context():
        accounts.suspend(db.session.get_one(User, user.id), actor=audit.SYSTEM)
    assert plain(app).get(ME, headers=headers).status_code == 401


def test_the_token_ends_without_use_and_in_any_case(app: Flask, user: Person) -> None:
    with time_machine.travel(START, tick=False) as clock:
        headers = log_in(app, user, keep=False)
        clock.shift(dt.timedelta(hours=23))
        assert plain(app).get(ME, headers=headers).status_code == 200
        clock.shift(dt.timedelta(hours=2))
        assert plain(app).get(ME, headers=headers).status_code == 401


def test_the_second_step_is_a_code_beside_the_password(app: Flask, user: Person) -> None:
    with time_machine.travel(START, tick=False) as clock:
        with app.test_request_context():
            totp = pyotp.TOTP(identity.offer_totp(Realm.USER, user.id))
            recovery = write_transaction(identity.turn_totp_on)(Realm.USER, user.id, totp.now())
        clock.shift(30)
        body = {"username": user.username, "password": PASSWORD}
        asked = plain(app).post("/api/user/login", json=body)
        assert (asked.status_code, reason_of(asked)) == (401, "code_needed")
        wrong = plain(app).post("/api/user/login", json={**body, "code": "000000"})
        assert (wrong.status_code, reason_of(wrong)) == (401, "code_wrong")
        code = totp.now()
        assert plain(app).post("/api/user/login", json={**body, "code": code}).status_code == 200
        assert plain(app).post("/api/user/login", json={**body, "code": code}).status_code == 401
        assert plain(app).post("/api/user/login", json={**body, "code": recovery[0]}).status_code == 200


def test_an_account_that_is_to_be_deleted_can_be_kept(app: Flask, user: Person) -> None:
    headers = log_in(app, user)
    asked = plain(app).post("/api/user/delete", json={"sure": True}, headers=headers)
    assert data_of(asked)["due_at"]
    assert plain(app).get(ME, headers=headers).status_code == 401
    body = {"username": user.username, "password": PASSWORD}
    refused = plain(app).post("/api/user/login", json=body)
    assert (refused.status_code, reason_of(refused)) == (403, "deletion_pending")
    assert plain(app).post("/api/user/login", json={**body, "keep_account": True}).status_code == 200
    with app.app_context():
        assert db.session.get_one(User, user.id).state == "active"


def admin_headers(app: Flask, admin: Person, **more: str) -> dict[str, str]:
    body = {"username": admin.username, "password": admin.password, **more}
    return {"Authorization": f"Bearer {data_of(plain(app).post('/api/admin/login', json=body))['token']}"}


def test_administrators_have_tokens_of_their_own(app: Flask, admin: Person, user: Person) -> None:
    headers = admin_headers(app, admin)
    assert data_of(plain(app).get("/api/admin/me", headers=headers))["role"] == "superadmin"
    refused = plain(app).get(ME, headers=headers)
    assert (refused.status_code, reason_of(refused)) == (403, "wrong_realm")
    assert plain(app).get("/api/admin/me", headers=log_in(app, user)).status_code == 403
    assert plain(app).post("/api/admin/logout", headers=headers).status_code == 200
    assert plain(app).get("/api/admin/me", headers=headers).status_code == 401
    body = {"username": user.username, "password": user.password}
    assert plain(app).post("/api/admin/login", json=body).status_code == 401


def test_an_administrator_adds_another(app: Flask, admin: Person) -> None:
    headers = admin_headers(app, admin)
    body = {"username": "new.one", "email": "new.one@example.com", "password": PASSWORD, "role": "operator"}
    key = {"Idempotency-Key": "create-1"}
    made = [plain(app).post("/api/admin/create", json=body, headers=headers | key) for _ in range(2)]
    assert made[0].text == made[1].text
    assert data_of(made[0])["role"] == "operator"
    again = plain(app).post("/api/admin/create", json=body, headers=headers)
    assert (again.status_code, errors_of(again).keys()) == (409, {"username"})
    unknown = plain(app).post("/api/admin/create", json={**body, "role": "god"}, headers=headers)
    assert unknown.status_code in {404, 422}
    with app.app_context():
        found = admins.find_admin("new.one")
        assert found is not None
        assert found.role.name == "operator"


def test_who_may_not_add_administrators_is_recorded(app: Flask, admin: Person) -> None:
    assert admin
    headers = admin_headers(app, add_admin(app, "operator.person", "operator"))
    body = {"username": "new.one", "email": "new.one@example.com", "password": PASSWORD, "role": "superadmin"}
    refused = plain(app).post("/api/admin/create", json=body, headers=headers)
    assert (refused.status_code, reason_of(refused)) == (403, "permission_missing")
    with app.app_context():
        events = db.session.connection().exec_driver_sql("SELECT event FROM audit_entries").scalars().all()
    assert "access:denied" in events


def test_where_administrators_need_a_second_factor_they_set_it_up_first(
    app: Flask, settings: Settings, admin: Person
) -> None:
    app.extensions["settings"] = settings.model_copy(update={"admins_need_second_factor": "on"})
    headers = admin_headers(app, admin)
    refused = plain(app).get("/api/admin/me", headers=headers)
    assert (refused.status_code, reason_of(refused)) == (403, "second_factor_needed")
    assert plain(app).post("/api/admin/logout", headers=headers).status_code == 200
