"""The same bad values, to the page and to the API: refused by both, for the same field, and by a rule in the same words."""

from __future__ import annotations

import html
from typing import Any

from flask import Flask

from tests.api.calling import data_of, errors_of, log_in, plain
from tests.letters import codes_to
from tests.pages import PageClient
from tests.people import PASSWORD, Person

ADDRESS = "chen.mo@example.com"
GOOD = "another good one 9"
LONG = "x" * 300

# What is done -> (field of the API, bad value, words of the rule; none where form and schema just measure it).
REGISTER = [
    ("username", "ab", "3 to 32"),
    ("username", "has space", "letters, digits"),
    ("username", "chen\r\nBcc: x", "letters, digits"),
    ("username", "", ""),
    ("username", LONG, ""),
    ("password", "short", "10 characters"),
    ("password", "1234567890", "tried first"),
    ("password", "chen.mo.2026", "too close"),
    ("password", "", ""),
    ("password", LONG, ""),
    ("email", "no address", "not an e-mail address"),
    ("email", "a@b.example, c@d.example", "not an e-mail address"),
    ("verification_code", "", ""),
    ("verification_code", "x" * 13, ""),
    ("verification_code", "wrong", "That code is not right"),
]
RESET = [
    ("new_password", "short", "10 characters"),
    ("new_password", "1234567890", "tried first"),
    ("new_password", LONG, ""),
    ("code", "wrong", "That code is not right"),
    ("code", "", ""),
]
CHANGE = [
    ("current_password", "not mine", "not your current password"),
    ("current_password", "", ""),
    ("new_password", "short", "10 characters"),
    ("new_password", "lin.yue.2026", "too close"),
    ("new_password", LONG, ""),
]
PROFILE = [
    ("username", "ab", "3 to 32"),
    ("username", "has space", "letters, digits"),
    ("username", "wang.wei", "taken"),
    ("username", "WANG.WEI", "taken"),
    ("username", LONG, ""),
    ("display_name", "\u0007 \u200b", "Enter a name"),
    ("display_name", LONG, ""),
]
TOKEN = [
    ("name", "   ", "at most 60 characters"),
    ("name", "", ""),
    ("name", LONG, ""),
    ("scopes", [], ""),
    ("scopes", ["admin"], ""),
    ("days", 31, ""),
    ("days", 10_000, ""),
    ("networks", "300.1.1.1", "not an address"),
    ("networks", "10.0.0.0/8 " * 21, "at most 20"),
]
EMAIL = [
    ("email", "no address", "not an e-mail address"),
    ("email", "lin.yue@example.com", "your address already"),
    ("email", LONG, ""),
]
ADMIN = [
    ("username", "ab", "3 to 32"),
    ("username", "mei.chen", "already"),
    ("email", "no address", "not an e-mail address"),
    ("password", "short", "15 characters"),
    ("password", "new.admin.2026.x", "too close"),
]


def judge(page: Any, answer: Any, field: str, words: str) -> None:
    case = (field, words, answer.text)
    assert answer.status_code in {409, 422}, case
    assert page.status_code in {409, 422}, case
    assert {name.partition(".")[0] for name in errors_of(answer)} == {field}, case
    sentence = " ".join(next(iter(errors_of(answer).values())))
    assert words in sentence, case
    if words:
        assert sentence.split(". ")[0] in html.unescape(page.text), case  # a second one counts what is left


def renamed(body: dict[str, Any], **names: str) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in body.items()}


def test_registering(app: Flask, client: PageClient) -> None:
    plain(app).post("/api/user/code", json={"email": ADDRESS, "purpose": "register"})
    (code,) = codes_to(app, ADDRESS)
    good = {"email": ADDRESS, "username": "chen.mo", "password": GOOD, "verification_code": code}
    for field, value, words in REGISTER:
        body = {**good, field: value}
        answer = plain(app).post("/api/user/register", json=body)
        judge(client.submit("/register", renamed(body, verification_code="code")), answer, field, words)
    assert plain(app).post("/api/user/register", json=good).status_code == 200


def test_setting_a_new_password(app: Flask, client: PageClient, user: Person) -> None:
    plain(app).post("/api/user/code", json={"email": user.email, "purpose": "reset_password"})
    (code,) = codes_to(app, user.email)
    good = {"email": user.email, "code": code, "new_password": GOOD}
    client.submit("/password/forgot", {"email": user.email})
    for field, value, words in RESET:
        body = {**good, field: value}
        answer = plain(app).post("/api/user/password/reset", json=body)
        page = client.submit("/password/reset", renamed(body, new_password="password"))
        judge(page, answer, field, words)
    assert plain(app).post("/api/user/password/reset", json=good).status_code == 200


def test_changing_the_password(app: Flask, signed_in: PageClient, user: Person) -> None:
    headers = log_in(app, user)
    for field, value, words in CHANGE:
        body = {"current_password": PASSWORD, "new_password": GOOD, field: value}
        answer = plain(app).post("/api/user/password/change", json=body, headers=headers)
        names = {"current_password": "current", "new_password": "new"}
        judge(signed_in.submit("/profile/password", renamed(body, **names)), answer, field, words)


def test_changing_the_profile(app: Flask, signed_in: PageClient, user: Person, other: Person) -> None:
    headers = log_in(app, user)
    assert other.username == "wang.wei"
    for field, value, words in PROFILE:
        body = {"username": user.username, "display_name": "Lin Yue", field: value}
        answer = plain(app).patch("/api/user/profile/me", json=body, headers=headers)
        judge(signed_in.submit("/profile", body), answer, field, words)


def test_making_a_token(app: Flask, signed_in: PageClient, user: Person) -> None:
    headers = log_in(app, user)
    for field, value, words in TOKEN:
        body = {"name": "Script", "scopes": ["chat"], "days": 30, "networks": "", field: value}
        answer = plain(app).post("/api/user/tokens", json=body, headers=headers)
        judge(signed_in.submit("/profile/tokens", body), answer, field, words)


def test_changing_the_address(app: Flask, signed_in: PageClient, user: Person) -> None:
    headers = log_in(app, user)
    for field, value, words in EMAIL:
        answer = plain(app).post("/api/user/email/change", json={field: value}, headers=headers)
        page = signed_in.submit("/profile/security/address", {field: value}, page="/profile/security")
        judge(page, answer, field, words)


def test_adding_an_administrator(app: Flask, admin: Person, admin_client: PageClient) -> None:
    good = {"username": "new.admin", "email": "new.admin@example.com", "password": GOOD, "role": "operator"}
    login = {"username": admin.username, "password": admin.password}
    token = data_of(plain(app).post("/api/admin/login", json=login))["token"]
    headers = {"Authorization": f"Bearer {token}"}
    for field, value, words in ADMIN:
        answer = plain(app).post("/api/admin/create", json={**good, field: value}, headers=headers)
        page = admin_client.submit("/admin/administrators/new", {**good, field: value})
        judge(page, answer, field, words)


def test_signing_in(app: Flask, client: PageClient, user: Person) -> None:
    answer = plain(app).post("/api/user/login", json={"username": user.username, "password": "wrong"})
    page = client.submit("/login", {"login": user.username, "password": "wrong"})
    assert errors_of(answer)["password"][0] in html.unescape(page.text)
