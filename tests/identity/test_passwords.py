"""Passwords: what is accepted, and how they are kept."""

from __future__ import annotations

import unicodedata

import pytest
from argon2 import PasswordHasher
from flask import Flask

from webapp.errors import Invalid
from webapp.identity import passwords
from webapp.identity import service as identity

CONTEXT = ("lin.yue", "linyue1988", "Agent Tools")


@pytest.fixture(autouse=True)
def within(app: Flask):
    with app.test_request_context():
        yield


def verdict(password: str, min_length: int = 10) -> str:
    try:
        identity.checked_password(password, min_length=min_length, context=CONTEXT)
    except Invalid as refusal:
        return refusal.code
    return "accepted"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "all lower case letters",
        "7392 4851 0263",
        " spaces around it too ",
        "一二三四五六七八九十甲乙",
        "пароль из нескольких слов",
        "🦊 brown fox over dog",
        "x7Yz" * 16,
        "aB3$" * 64,
    ],
)
def test_accepted_whatever_it_is_made_of(password: str) -> None:
    assert verdict(password) == "accepted"
    assert identity.password_matches(password, identity.hashed_password(password))


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short one", "password_short"),
        ("九个汉字不够长的吧", "password_short"),
        ("x7Y" * 86, "invalid"),
        ("          ", "password_common"),
        ("aaaaaaaaaaaa", "password_common"),
        ("1234567890", "password_common"),
        ("qwertyuiop", "password_common"),
        ("QwertyUiop", "password_common"),
        ("password123!", "password_common"),
        ("international", "password_common"),
        ("lin.yue.lin.yue", "password_context"),
        ("LinYue-LinYue", "password_context"),
        ("linyue1988!!", "password_context"),
        ("agenttools1", "password_context"),
        ("Agent-Tools-26", "password_context"),
    ],
)
def test_refused_with_a_reason(password: str, reason: str) -> None:
    assert verdict(password) == reason


def test_a_name_within_something_longer_is_no_reason() -> None:
    assert verdict("lin.yue rides to work by boat") == "accepted"


def test_list_of_common_passwords_is_long_enough() -> None:
    of_policy_length = [word for word in passwords._common() if len(word) >= 10]
    assert len(of_policy_length) >= 3_000
    assert all(word == word.casefold() for word in passwords._common())


def test_every_listed_password_of_policy_length_is_refused() -> None:
    listed = sorted(word for word in passwords._common() if len(word) >= 10)
    assert {verdict(word) for word in listed[::50]} <= {"password_common", "password_context"}


def test_nothing_is_cut() -> None:
    long = "z9" * 128
    assert not identity.password_matches(long[:-1], identity.hashed_password(long))
    assert not identity.password_matches(long[:72], identity.hashed_password(long))


@pytest.mark.parametrize("text", ["Ångström crème", "ﬁne ligatures here", "ｆｕｌｌｗｉｄｔｈ１２"])
def test_forms_of_the_same_text_are_one_password(text: str) -> None:
    forms = {unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    stored = identity.hashed_password(text)
    assert all(identity.password_matches(form, stored) for form in forms)


def test_kept_as_argon2id_with_a_salt_of_its_own() -> None:
    first, second = identity.hashed_password("the same words"), identity.hashed_password("the same words")
    assert first != second
    for stored in (first, second):
        assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert "same" not in stored


def test_weaker_hashes_are_to_be_replaced() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("x")
    assert identity.needs_new_hash(weak)
    assert not identity.needs_new_hash(identity.hashed_password("x"))


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$m=19456,t=2,p=1$$"])
def test_no_password_matches_where_there_is_no_hash(stored: str | None) -> None:
    assert not identity.password_matches("", stored)
    assert not identity.password_matches("anything", stored)


@pytest.mark.parametrize(
    "password", ["\ud800 lone surrogate", "nul \x00 in it and more", "line\r\nbreak in it"]
)
def test_odd_text_breaks_nothing(password: str) -> None:
    stored = identity.hashed_password(password)
    assert identity.password_matches(password, stored)
