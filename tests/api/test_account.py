"""What users do with their accounts through the API."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pyotp
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.accounts.pictures import picture
from tests.api.calling import api_token, data_of, errors_of, log_in, plain, reason_of
from tests.letters import codes_to, notices_to
from tests.people import PASSWORD, Person
from webapp.identity.rules import Scope

ME = "/api/user/profile/me"
ADDRESS = "new.person@example.com"


def post(
    app: Flask, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> TestResponse:
    return plain(app).post(f"/api/user/{path}", json=body, headers=headers or {})


def test_a_newcomer_registers_and_signs_in(app: Flask) -> None:
    assert post(app, "code", {"email": ADDRESS, "purpose": "register"}).status_code == 200
    (code,) = codes_to(app, ADDRESS)
    body = {"email": ADDRESS, "username": "new.person", "password": PASSWORD, "verification_code": code}
    made = data_of(post(app, "register", body))
    assert (made["username"], made["email"]) == ("new.person", ADDRESS)
    again = post(app, "register", body)
    assert (again.status_code, set(errors_of(again))) == (422, {"verification_code"})
    assert post(app, "login", {"username": ADDRESS, "password": PASSWORD}).status_code == 200


def test_a_lost_password_is_replaced_and_ends_all_access(app: Flask, user: Person) -> None:
    login, token = log_in(app, user), api_token(app, user)
    assert post(app, "code", {"email": user.email, "purpose": "reset_password"}).status_code == 200
    (code,) = codes_to(app, user.email)
    body = {"email": user.email, "code": code, "new_password": "short"}
    short = post(app, "password/reset", body)
    assert (short.status_code, set(errors_of(short))) == (422, {"new_password"})
    assert post(app, "password/reset", {**body, "new_password": "another good one 9"}).status_code == 200
    for headers in (login, token):
        assert plain(app).get(ME, headers=headers).status_code == 401
    assert (
        post(app, "login", {"username": user.username, "password": "another good one 9"}).status_code == 200
    )


@pytest.mark.parametrize("purpose", ["register", "reset_password"])
def test_asking_for_a_code_tells_nothing_of_accounts(app: Flask, user: Person, purpose: str) -> None:
    told = [
        post(app, "code", {"email": address, "purpose": purpose})
        for address in (user.email, "no@example.com")
    ]
    assert told[0].data == told[1].data
    assert told[0].status_code == told[1].status_code == 200


def test_the_profile_is_read_and_changed(app: Flask, user: Person, other: Person) -> None:
    headers = api_token(app, user, Scope.PROFILE_READ, Scope.PROFILE_CHANGE)
    body = {"display_name": "林月", "timezone": "Asia/Shanghai", "locale": "zh_CN"}
    changed = data_of(plain(app).patch(ME, json=body, headers=headers))
    assert {name: changed[name] for name in body} == body
    assert changed["username"] == user.username
    assert data_of(plain(app).patch(ME, json={"timezone": None}, headers=headers))["timezone"] is None
    assert data_of(plain(app).get(ME, headers=headers))["locale"] == "zh_CN"
    taken = plain(app).patch(ME, json={"username": other.username, "display_name": "X"}, headers=headers)
    assert (taken.status_code, reason_of(taken)) == (409, "username_taken")
    zone = plain(app).patch(ME, json={"timezone": "Mars/Base", "display_name": "X"}, headers=headers)
    assert (zone.status_code, set(errors_of(zone))) == (422, {"timezone"})
    assert data_of(plain(app).get(ME, headers=headers))["display_name"] == "林月"


def test_fields_that_are_nobody_s_to_change_are_refused(app: Flask, user: Person) -> None:
    headers = api_token(app, user, Scope.PROFILE_CHANGE)
    for name in ("id", "email", "state", "password_hash", "verified_at"):
        answer = plain(app).patch(ME, json={name: "x"}, headers=headers)
        assert (answer.status_code, set(errors_of(answer))) == (422, {name})


def test_the_picture_is_put_got_and_taken_away(app: Flask, user: Person) -> None:
    headers = api_token(app, user, Scope.PROFILE_READ, Scope.PROFILE_CHANGE)
    client = plain(app)
    path = f"{ME}/avatar"
    assert client.get(path, headers=headers).status_code == 404
    put = client.post(path, data={"file": (io.BytesIO(picture()), "me.png")}, headers=headers)
    assert data_of(put)["avatar_url"] == path
    got = client.get(path, headers=headers)
    assert (got.mimetype, got.data[8:12]) == ("image/webp", b"WEBP")
    assert "no-store" in got.headers["Cache-Control"] or "no-cache" in got.headers["Cache-Control"]
    assert data_of(client.delete(path, headers=headers))["avatar_url"] is None
    assert client.get(path, headers=headers).status_code == 404


def test_what_is_no_picture_is_refused(app: Flask, user: Person) -> None:
    headers, client, path = api_token(app, user, Scope.PROFILE_CHANGE), plain(app), f"{ME}/avatar"
    bad = client.post(path, data={"file": (io.BytesIO(b"<svg/>"), "x.png")}, headers=headers)
    assert (bad.status_code, set(errors_of(bad))) == (422, {"file"})
    two = [(io.BytesIO(b"1"), "a.png"), (io.BytesIO(b"2"), "b.png")]
    assert client.post(path, data={"file": two}, headers=headers).status_code == 422
    other = client.post(path, data={"avatar": (io.BytesIO(picture()), "x.png")}, headers=headers)
    assert "avatar" in errors_of(other)
    nameless = b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post(path, data=nameless, headers=headers | kind).status_code == 422
    assert client.post(path, data={}, headers=headers).status_code == 415
    assert client.post(path, json={"file": "x"}, headers=headers).status_code == 415


def test_the_address_is_changed_with_a_code_that_goes_there(app: Flask, user: Person) -> None:
    headers = log_in(app, user)
    assert post(app, "email/change", {"email": ADDRESS}, headers).status_code == 200
    (code,) = codes_to(app, ADDRESS)
    assert post(app, "email/confirm", {"code": code}, headers).status_code == 200
    assert data_of(plain(app).get(ME, headers=headers))["email"] == ADDRESS
    assert "email_changed" in notices_to(app, user.email)


def test_sessions_are_listed_and_ended(app: Flask, user: Person, other: Person) -> None:
    mine, second, third = log_in(app, user), log_in(app, user), log_in(app, user)
    theirs = log_in(app, other)
    client = plain(app)
    listed = data_of(client.get("/api/user/sessions", headers=mine))["items"]
    assert len(listed) == 3
    assert sum(each["current"] for each in listed) == 1
    of_second = next(
        each["id"]
        for each in data_of(client.get("/api/user/sessions", headers=second))["items"]
        if each["current"]
    )
    assert client.delete(f"/api/user/sessions/{of_second}", headers=theirs).status_code == 404
    assert client.delete(f"/api/user/sessions/{of_second}", headers=mine).status_code == 200
    assert client.get(ME, headers=second).status_code == 401
    assert data_of(client.delete("/api/user/sessions", headers=mine)) == {"ended": 1}
    assert client.get(ME, headers=third).status_code == 401
    assert client.get(ME, headers=mine).status_code == client.get(ME, headers=theirs).status_code == 200


def test_tokens_are_made_listed_and_revoked_by_login_tokens_only(app: Flask, user: Person) -> None:
    headers = log_in(app, user)
    body = {"name": "Script", "scopes": ["profile:read"], "days": 30, "networks": "127.0.0.1"}
    answer = post(app, "tokens", body, headers)
    assert answer.status_code == 201
    made = data_of(answer)
    assert made["networks"] == ["127.0.0.1/32"]
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert plain(app).get(ME, headers=bearer).status_code == 200
    for path, sent in (
        ("tokens", body), ("password/change", {}), ("email/change", {}), ("two-step/offer", {}), ("export", {}),
        ("delete", {}), ("logout", None),
    ):  # fmt: skip
        refused = post(app, path, sent, bearer)
        assert (refused.status_code, reason_of(refused)) == (403, "login_token_needed"), path
    listed = data_of(plain(app).get("/api/user/tokens", headers=headers))["items"]
    assert [each["name"] for each in listed] == ["Script"]
    assert "token" not in listed[0]
    assert listed[0]["last_used_address"] == "127.0.0.1"
    assert plain(app).delete(f"/api/user/tokens/{made['id']}", headers=headers).status_code == 200
    assert plain(app).get(ME, headers=bearer).status_code == 401
    assert plain(app).delete(f"/api/user/tokens/{made['id']}", headers=headers).status_code == 404


def test_the_answer_with_a_new_token_can_be_repeated(app: Flask, user: Person) -> None:
    headers = log_in(app, user) | {"Idempotency-Key": "once"}
    body = {"name": "Script", "scopes": ["chat"]}
    first, second = post(app, "tokens", body, headers), post(app, "tokens", body, headers)
    assert data_of(first)["token"] == data_of(second)["token"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert notices_to(app, user.email).count("token_created") == 1


def test_two_step_sign_in_is_turned_on_and_off(app: Flask, user: Person) -> None:
    headers = log_in(app, user)
    assert post(app, "two-step/recovery-codes", {}, headers).status_code == 409
    key = data_of(post(app, "two-step/offer", {}, headers))["key"]
    assert post(app, "two-step/on", {"code": "000000"}, headers).status_code == 422
    codes = data_of(post(app, "two-step/on", {"code": pyotp.TOTP(key).now()}, headers))["recovery_codes"]
    told = data_of(plain(app).get("/api/user/two-step", headers=headers))
    assert told == {"on": True, "recovery_codes_left": len(codes)}
    assert post(app, "two-step/off", {}, headers).status_code == 200
    assert data_of(plain(app).get("/api/user/two-step", headers=headers))["on"] is False


def test_everything_about_oneself_is_one_file(app: Flask, user: Person) -> None:
    answer = post(app, "export", {}, log_in(app, user))
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert user.email in "".join(
            json.dumps(json.loads(archive.read(name)))
            for name in archive.namelist()
            if name.endswith(".json")
        )
