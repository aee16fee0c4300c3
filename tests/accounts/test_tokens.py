"""API tokens: shown once, kept hashed, ended by what should end them (I1, I4)."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from tests.letters import codes_to, notices_to
from tests.pages import PageClient
from tests.people import Person
from webapp.accounts import service as accounts
from webapp.audit import service as audit
from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.database import db
from webapp.identity import service as identity

PAGE = "/profile/tokens"
HERE = "198.51.100.9"


def make(client: PageClient, **data: object):
    return client.submit(PAGE, {"name": "Build server", "scopes": ["chat"], "days": "90", **data})


def shown(page: str) -> str:
    found = re.search(r'<code class="token-text">([^<]+)</code>', page)
    assert found, page
    return found[1]


def find(app: Flask, raw: str, address: str = HERE) -> identity.TokenUse | None:
    with app.test_request_context():
        use = identity.find_token(raw, address)
        assert use is None or use.person.state == "active"
        return use


def refusals(app: Flask) -> list[str]:
    with app.app_context():
        query = (
            select(AuditEntry.after).where(AuditEntry.event == Event.TOKEN_REFUSED).order_by(AuditEntry.id)
        )
        return [json.loads(each)["reason"] for each in db.session.scalars(query)]


def test_token_is_shown_once_and_kept_hashed(app: Flask, signed_in: PageClient, user: Person) -> None:
    response = make(signed_in)
    raw = shown(response.text)
    assert re.fullmatch(r"at_[A-Za-z0-9_-]{43}", raw)
    assert "no-store" in response.headers["Cache-Control"]
    page = signed_in.get(PAGE).text
    assert raw not in page
    assert "Build server" in page
    assert f"at_…{raw[-4:]}" in page
    with app.app_context():
        stored = db.session.execute(text("SELECT * FROM api_tokens")).one()
        assert raw not in [str(value) for value in stored]
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.TOKEN_CREATED)).one()
        assert raw not in entry.after
    assert notices_to(app, user.email) == ["token_created"]


def test_token_says_whose_it_is_and_what_for_and_when_it_was_used(
    app: Flask, signed_in: PageClient, user: Person
) -> None:
    raw = shown(make(signed_in, scopes=["chat", "profile:read"]).text)
    use = find(app, raw)
    assert use is not None
    assert vars(use.person)["username"] == user.username
    assert use.scopes == {"chat", "profile:read"}
    assert HERE in signed_in.get(PAGE).text
    for wrong in ("", raw[:-1], raw + "x", raw.removeprefix("at_"), "at_" + "x" * 43, "at_\x00", "\ud800"):
        assert find(app, wrong) is None
    assert refusals(app) == [], "what never was a token of ours is nothing to record"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["admin"]}, "scopes"),
        ({"days": "36500"}, "days"),
        ({"networks": "nonsense"}, "networks"),
        ({"networks": " ".join(f"10.0.0.{n}" for n in range(21))}, "networks"),
    ],
)
def test_what_does_not_fit_is_refused_beside_its_field(
    signed_in: PageClient, data: dict[str, object], field: str
) -> None:
    response = make(signed_in, **data)
    assert response.status_code == 422
    assert "invalid-feedback" in response.text
    assert "No tokens" in signed_in.get(PAGE).text


def test_token_works_from_the_addresses_listed_only(app: Flask, signed_in: PageClient) -> None:
    raw = shown(make(signed_in, networks="198.51.100.0/24, 2001:db8::/32").text)
    assert find(app, raw) is not None
    assert find(app, raw, "::ffff:198.51.100.7") is not None
    assert find(app, raw, "2001:db8::1") is not None
    assert find(app, raw, "203.0.113.1") is None
    assert find(app, raw, "unknown") is None
    assert refusals(app) == ["address"]


def test_use_after_revoke_is_recorded_once_a_minute(app: Flask, signed_in: PageClient) -> None:
    raw = shown(make(signed_in).text)
    found = re.search(r'action="(/profile/tokens/[^"]+/revoke)"', signed_in.get(PAGE).text)
    assert found
    assert signed_in.submit(found[1], page=PAGE).status_code == 303
    assert "No tokens" in signed_in.get(PAGE).text
    with time_machine.travel(dt.datetime.now(dt.UTC)) as traveller:
        for _turn in range(3):
            assert find(app, raw) is None
        assert refusals(app) == ["revoked"]
        traveller.shift(61)
        assert find(app, raw) is None
        assert refusals(app) == ["revoked"] * 2
    assert signed_in.submit(found[1], page=PAGE).status_code == 404


def test_expired_token_does_not_work(app: Flask, signed_in: PageClient) -> None:
    raw = shown(make(signed_in, days="30").text)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=30, minutes=1)):
        assert find(app, raw) is None
    assert refusals(app) == ["expired"]


def test_others_cannot_revoke_it(app: Flask, signed_in: PageClient, other_signed_in: PageClient) -> None:
    raw = shown(make(signed_in).text)
    found = re.search(r'action="(/profile/tokens/[^"]+/revoke)"', signed_in.get(PAGE).text)
    assert found
    assert other_signed_in.submit(found[1], page=PAGE).status_code == 404
    assert find(app, raw) is not None


@pytest.mark.parametrize("end", ["suspended", "reset", "deletion"])
def test_token_ends_with_the_account_and_with_a_reset(
    app: Flask, signed_in: PageClient, user: Person, end: str
) -> None:
    raw = shown(make(signed_in).text)
    use = find(app, raw)
    assert use is not None
    if end == "reset":
        client: PageClient = app.test_client()  # type: ignore[assignment]
        client.submit("/password/forgot", {"email": user.email})
        data = {
            "email": user.email,
            "code": codes_to(app, user.email)[0],
            "password": "another quiet evening",
        }
        assert client.submit("/password/reset", data).status_code == 303
    with app.test_request_context():
        row = accounts.get_user(user.public_id)
        if end == "suspended":
            accounts.suspend(row, actor=audit.SYSTEM)
        elif end == "deletion":
            accounts.ask_deletion(row)
        assert identity.live_tokens_among({use.token_id}) == set(), "open streams end"
    assert find(app, raw) is None
    assert refusals(app) == ["revoked"]


def test_changed_password_leaves_tokens(app: Flask, signed_in: PageClient, user: Person) -> None:
    raw = shown(make(signed_in).text)
    data = {"current": user.password, "new": "another quiet evening"}
    assert signed_in.submit("/profile/password", data).status_code == 303
    assert find(app, raw) is not None


def test_making_one_needs_a_fresh_proof(app: Flask, signed_in: PageClient) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)):
        assert make(signed_in).location.startswith("/confirm?next=")
        assert "No tokens" in signed_in.get(PAGE).text


def test_number_is_limited(signed_in: PageClient) -> None:
    for _turn in range(20):
        assert make(signed_in).status_code == 200
    refused = make(signed_in)
    assert refused.status_code == 422
    assert "Revoke one that you no longer use" in refused.text
