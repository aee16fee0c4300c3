"""Signing in and out."""

from __future__ import annotations

import unicodedata

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import make_settings, running
from tests.pages import PageClient, read
from tests.people import PASSWORD, Person, sign_in
from webapp.accounts import service as accounts
from webapp.accounts.models import User
from webapp.database import db


def try_in(client: PageClient, login: str, password: str = PASSWORD, **more: str):
    return client.submit("/login", {"login": login, "password": password, **more})


@pytest.mark.parametrize(
    "login", ["lin.yue", "LIN.Yue", " lin.yue ", "lin.yue@example.com", "Lin.Yue@EXAMPLE.com"]
)
def test_name_or_address_in_any_case_signs_in(client: PageClient, user: Person, login: str) -> None:
    assert try_in(client, login).location == "/chat"


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("lin.yue", "wrong"),
        ("lin.yue", PASSWORD + " "),
        ("nobody", PASSWORD),
        ("lin.yue'--", PASSWORD),
        ("\x00", "\x00"),
    ],
)
def test_refusal_has_one_sentence_and_keeps_the_name(
    client: PageClient, user: Person, login: str, password: str
) -> None:
    response = try_in(client, login, password)
    assert response.status_code == 422
    assert "That name and password do not match." in response.text
    fields = {each.get("name"): each for each in read(response).fields}
    assert fields["login"]["value"] == login.replace("\x00", fields["login"]["value"])
    assert not fields["password"].get("value")


def test_empty_fields_are_told(client: PageClient) -> None:
    response = try_in(client, "", "")
    assert response.status_code == 422
    assert response.text.count("Fill this in.") == 2


def test_password_typed_in_another_unicode_form_signs_in(app: Flask, client: PageClient) -> None:
    password = "crème brûlée Ångström"
    with app.app_context():
        accounts.add_user(
            email="nora@example.com", username="nora", password=unicodedata.normalize("NFC", password)
        )
    assert try_in(client, "nora", unicodedata.normalize("NFD", password)).status_code == 303


def test_session_id_is_new_at_sign_in_and_nothing_planted_survives(
    app: Flask, client: PageClient, user: Person
) -> None:
    client.get("/login")
    with client.session_transaction() as planted:
        planted["_user_id"] = "chosen-by-somebody-else"
        planted["register_email"] = "somebody@example.com"
        before = dict(planted)
    try_in(client, user.username)
    with client.session_transaction() as after:
        assert after["_user_id"] != before["_user_id"]
        assert "register_email" not in after
        assert after.get("csrf_token") != before["csrf_token"]


def test_two_sign_ins_have_different_ids(app: Flask, user: Person) -> None:
    tokens = set()
    for _turn in range(2):
        with sign_in(app, user).session_transaction() as session:
            tokens.add(session["_user_id"])
    assert len(tokens) == 2
    assert all(len(token) >= 43 for token in tokens)


@pytest.mark.parametrize(("keep", "lasting"), [("y", True), (None, False)])
def test_cookie_lasts_only_when_asked(
    client: PageClient, user: Person, keep: str | None, lasting: bool
) -> None:
    response = try_in(client, user.username, **({"keep": keep} if keep else {}))
    cookie = next(each for each in response.headers.getlist("Set-Cookie") if each.startswith("session="))
    assert ("Expires=" in cookie) is lasting
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_cookie_over_https_is_bound_to_the_host(instance) -> None:
    settings = make_settings(instance, public_url="https://chat.example.com")
    for app in running(settings):
        response = app.test_client().get("/login", base_url="https://chat.example.com")
        cookie = next(each for each in response.headers.getlist("Set-Cookie") if "session=" in each)
        assert cookie.startswith("__Host-session=")
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert "max-age" in response.headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/profile?tab=1", "/profile?tab=1"),
        ("//evil.example", "/chat"),
        ("https://evil.example/", "/chat"),
        ("/\\evil.example", "/chat"),
        ("/%0d%0aSet-Cookie: a=b", "/chat"),
        ("javascript:alert(1)", "/chat"),
        ("\t//evil.example", "/chat"),
    ],
)
def test_next_leads_back_and_never_away(client: PageClient, user: Person, target: str, place: str) -> None:
    assert try_in(client, user.username, next=target).location == place


def test_stranger_is_led_to_sign_in_and_back(client: PageClient, user: Person) -> None:
    response = client.get("/profile", headers={"Accept": "text/html"})
    assert response.location == "/login?next=/profile"
    page = read(client.get(response.location))
    hidden = next(each for each in page.fields if each.get("name") == "next")
    assert hidden["value"] == "/profile"


def test_disabled_account_is_refused_in_the_same_words(app: Flask, client: PageClient, user: Person) -> None:
    disable(app, user)
    response = try_in(client, user.username)
    assert response.status_code == 422
    assert "That name and password do not match." in response.text


def test_hash_made_with_weaker_parameters_is_replaced(app: Flask, client: PageClient, user: Person) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with app.app_context():
        db.session.scalars(select(User)).one().password_hash = weak
        db.session.commit()
    assert try_in(client, user.username).status_code == 303
    with app.app_context():
        stored = db.session.scalars(select(User.password_hash)).one()
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert try_in(app.test_client(), user.username).status_code == 303  # type: ignore[arg-type]


def test_signing_out_ends_the_session_even_for_a_copied_cookie(app: Flask, signed_in: PageClient) -> None:
    with signed_in.session_transaction() as session:
        copy = dict(session)
    assert signed_in.submit("/logout", page="/profile").location == "/login"
    assert signed_in.get("/profile").status_code == 302
    thief = app.test_client()
    with thief.session_transaction() as session:
        session.update(copy)
    assert thief.get("/profile").status_code == 302


def test_signing_out_needs_a_post(signed_in: PageClient) -> None:
    assert signed_in.get("/logout").status_code == 405
    assert signed_in.get("/profile").status_code == 200


def disable(app: Flask, person: Person) -> None:
    with app.app_context():
        db.session.get_one(User, person.id).state = "suspended"
        db.session.commit()
