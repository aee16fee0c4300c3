"""E-mail addresses: what is one, and which are the same."""

from __future__ import annotations

import pytest
from flask import Flask

from webapp.errors import Invalid
from webapp.identity import service as identity


@pytest.fixture(autouse=True)
def within(app: Flask):
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("typed", "sent_to", "key"),
    [
        ("lin.yue@example.com", "lin.yue@example.com", "lin.yue@example.com"),
        ("  Lin.Yue@Example.COM ", "Lin.Yue@example.com", "lin.yue@example.com"),
        ("a+b@example.com", "a+b@example.com", "a+b@example.com"),
        ("a@例え.jp", "a@xn--r8jz45g.jp", "a@xn--r8jz45g.jp"),
        ("a@xn--r8jz45g.jp", "a@xn--r8jz45g.jp", "a@xn--r8jz45g.jp"),
        ("a@straße.de", "a@xn--strae-oqa.de", "a@xn--strae-oqa.de"),
        ("a@ＥＸＡＭＰＬＥ.com", "a@example.com", "a@example.com"),
    ],
)
def test_address_has_one_form_to_send_to_and_one_to_look_up(typed: str, sent_to: str, key: str) -> None:
    assert identity.checked_address(typed) == sent_to
    assert identity.canonical_address(typed) == key
    assert sent_to.isascii()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("victim@example.com", "victím@example.com"),
        ("strasse@example.com", "straße@example.com"),
        ("a@strasse.de", "a@straße.de"),
        ("kate@example.com", "\u212aate@example.com"),
        ("admin@example.com", "аdmin@example.com"),
        ("ann@example.com", "ann@example.com.evil.example"),
        ("a.b@example.com", "ab@example.com"),
        ("a@example.com", "a+x@example.com"),
    ],
)
def test_addresses_of_two_people_are_never_one(one: str, other: str) -> None:
    assert identity.canonical_address(one) != identity.canonical_address(other)


@pytest.mark.parametrize(
    "typed",
    [
        "", "plain", "@example.com", "a@", "a@b", "a b@example.com", "a@exa mple.com", "a@example.com,b@example.com",
        "a@example.com b@example.com", "a@example.com\nb@example.com", "a@example.com\r\nBcc: b@example.com",
        "Ann <a@example.com>", "<a@example.com>", '"a"@example.com', "a@[127.0.0.1]", "a@localhost", "a..b@example.com",
        "victím@example.com", "a@example.com\x00", "a" * 65 + "@example.com",
        "a@" + "b." * 130 + "com",
    ],
)  # fmt: skip
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refusal:
        identity.checked_address(typed)
    assert refusal.value.field == "email"


def test_what_is_no_address_is_nobody_s() -> None:
    assert identity.canonical_address("lin.yue") == ""
    assert identity.canonical_address("a@b@example.com") == ""
