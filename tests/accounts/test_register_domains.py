"""Registration for some e-mail domains only."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import make_settings
from tests.letters import codes_to
from tests.pages import PageClient
from tests.people import Person
from webapp.config import Settings


@pytest.fixture
def settings(instance: Path) -> Settings:
    return make_settings(instance, registration_domains=("Example.org", "@example.net"))


@pytest.mark.parametrize("email", ["new@example.org", "new@EXAMPLE.net"])
def test_these_may(client: PageClient, email: str) -> None:
    response = client.submit("/register", {"email": email, "send": "1"})
    assert response.status_code in {302, 303}
    local, _at, domain = email.partition("@")
    assert len(codes_to(client.application, f"{local}@{domain.lower()}")) == 1


@pytest.mark.parametrize("email", ["new@example.com", "new@evilexample.org", "new@sub.example.org"])
def test_others_may_not(client: PageClient, email: str) -> None:
    response = client.submit("/register", {"email": email, "send": "1"})
    assert response.status_code == 422
    assert "example.net, example.org" in response.text
    assert codes_to(client.application, email) == []


def test_the_refusal_does_not_tell_who_has_an_account(client: PageClient, user: Person) -> None:
    known = client.submit("/register", {"email": user.email, "send": "1"})
    unknown = client.submit("/register", {"email": "nobody@example.com", "send": "1"})
    assert known.status_code == unknown.status_code == 422
    assert codes_to(client.application, user.email) == []
