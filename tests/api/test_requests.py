"""What all routes have in common: the envelope, strict reading, bearer tokens, proofs, headers."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.api.calling import api_token, data_of, errors_of, log_in, plain, reason_of
from tests.api.probe import KindQuery, Probe, store_row
from tests.conftest import make_settings, running
from tests.pages import PageClient
from tests.people import PASSWORD, Person
from webapp import api
from webapp.config import Settings
from webapp.errors import Invalid
from webapp.identity.rules import Scope

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def probe(app: Flask) -> Probe:
    """Routes to try things with."""
    return Probe(app)


@pytest.fixture
def caller(app: Flask, probe: Probe) -> FlaskClient:
    """A program without a token."""
    assert probe
    return plain(app)


def test_an_answer_is_an_envelope(caller: FlaskClient) -> None:
    answer = caller.post("/api/probe", json={"name": "x"})
    assert data_of(answer)["name"] == "x"
    assert answer.get_json()["message"] == "Success"
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/api/nowhere", 404, "not_found"),
        ("GET", "/api//probe", 404, "not_found"),
        ("GET", "/api/user/login", 405, "method_not_allowed"),
        ("OPTIONS", "/api/probe", 405, "method_not_allowed"),
        ("TRACE", "/api/probe", 405, "method_not_allowed"),
        ("GET", "/api/probe", 401, "token_missing"),
        ("POST", "/api/probe", 415, "unsupported_media_type"),
        ("POST", "/api/probe/broken", 500, "internal"),
    ],
)
def test_every_refusal_is_an_envelope(
    app: Flask, caller: FlaskClient, method: str, path: str, status: int, reason: str
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = caller.open(path, method=method, headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert answer.content_type == "application/json"
    assert reason_of(answer) == reason
    assert "Traceback" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_an_unknown_host_gets_an_envelope(caller: FlaskClient) -> None:
    answer = caller.get("/api/probe", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert reason_of(answer) == "bad_request"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"name": "x", "name": "y"}', 400),
        (b'{"name": NaN}', 400),
        (b'{"name": "\xff"}', 400),
        (b"[" * 100_000, 400),
        (b'{"count": ' + b"9" * 5_000 + b"}", 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"name": 1}', 422),
        (b'{"name": "x", "count": "1"}', 422),
        (b'{"name": "x", "count": 1.5}', 422),
        (b'{"name": "x", "count": true}', 422),
        (b'{"name": "x", "count": 10}', 422),
        (b'{"name": "x", "more": 1}', 422),
        (b'{"name": "x", "parts": [1]}', 422),
        (b'{"name": ""}', 422),
        (b'{"name": "\\ud800"}', 422),
    ],
)
def test_what_does_not_fit_is_refused_and_never_fails(caller: FlaskClient, raw: bytes, status: int) -> None:
    answer = caller.post("/api/probe", data=raw, headers=JSON)
    assert answer.status_code == status, answer.text
    if status == 422:
        assert errors_of(answer)


def test_every_field_at_fault_is_named(caller: FlaskClient) -> None:
    answer = caller.post("/api/probe", json={"count": -1, "parts": ["a", 2], "more": {}})
    assert set(errors_of(answer)) == {"name", "count", "parts.1", "more"}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json; charset=latin-1", "application/x-www-form-urlencoded", ""]
)
def test_only_json_in_utf8_is_read(caller: FlaskClient, kind: str) -> None:
    answer = caller.post("/api/probe", data=b'{"name": "x"}', headers={"Content-Type": kind})
    assert answer.status_code == 415


def test_what_is_too_large_is_refused(app: Flask, caller: FlaskClient) -> None:
    answer = caller.post(
        "/api/probe", data=b'"' + b"x" * app.config["MAX_CONTENT_LENGTH"] + b'"', headers=JSON
    )
    assert answer.status_code == 413
    assert reason_of(answer) == "too_large"


@given(
    raw=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner) | st.dictionaries(st.sampled_from(["name", "count", "parts", "x"]), inner)
            ),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
@hypothesis_settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_body_gets_an_envelope(caller: FlaskClient, raw: bytes) -> None:
    answer = caller.post("/api/probe", data=raw, headers=JSON)
    assert answer.status_code in {200, 400, 422}, answer.text
    data_of(answer)


def test_a_query_is_read_strictly(app: Flask, caller: FlaskClient, user: Person) -> None:
    headers = api_token(app, user, Scope.MODELS)
    for query, field in [
        ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("limit=1.5", "limit"),
        ("limit=1&limit=2", "limit"), ("more=1", "more"), ("kind=abcdef", "kind"), ("after=x", "after"),
        ("access_token=at_x", "access_token"),
    ]:  # fmt: skip
        answer = caller.get(f"/api/probe?{query}", headers=headers)
        assert answer.status_code == 422, query
        assert field in errors_of(answer), query
    assert caller.post("/api/probe?limit=1", json={"name": "x"}).status_code == 422


def test_a_list_is_continued_by_a_cursor_of_its_own(app: Flask, caller: FlaskClient, user: Person) -> None:
    headers = api_token(app, user, Scope.MODELS)
    with app.app_context():
        made = [store_row() for _ in range(5)]
    seen: list[int] = []
    following: str | None = ""
    while following is not None:
        page = data_of(caller.get(f"/api/probe?limit=2&after={following}", headers=headers))
        seen, following = seen + page["items"], page["next"]
    assert seen[:5] == made[::-1]
    first = data_of(caller.get("/api/probe?limit=2", headers=headers))["next"]
    for forged in (first[:-1], "x" + first, first.split(".")[0], first + "x"):
        assert caller.get("/api/probe", query_string={"after": forged}, headers=headers).status_code == 422
    other_list = caller.get("/api/probe", query_string={"after": first, "kind": "b"}, headers=headers)
    assert reason_of(other_list) == "cursor_invalid"


@given(text=st.text(min_size=1, max_size=80))
@hypothesis_settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_cursor_of_ones_own_making_is_refused(app: Flask, text: str) -> None:
    with app.test_request_context("/api/probe"), pytest.raises(Invalid):
        assert KindQuery(after=text).cursor


def test_only_the_header_signs_in(
    app: Flask, caller: FlaskClient, user: Person, signed_in: PageClient
) -> None:
    headers = api_token(app, user, Scope.MODELS)
    raw = headers["Authorization"].removeprefix("Bearer ")
    assert caller.get("/api/probe", headers=headers).status_code == 200
    assert caller.get("/api/probe", headers={"Authorization": f"bearer  {raw}"}).status_code == 200
    assert signed_in.get("/api/probe").status_code == 401
    for wrong in (f"Basic {raw}", raw, "Bearer", "Bearer x", f"Bearer {raw}x", "Bearer " + "x" * 5_000):
        answer = caller.get("/api/probe", headers={"Authorization": wrong})
        assert answer.status_code == 401, wrong
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert caller.get(f"/api/probe?access_token={raw}").status_code == 401
    caller.set_cookie("session", raw)
    caller.set_cookie("token", raw)
    assert caller.get("/api/probe").status_code == 401


def test_a_cookie_s_token_is_no_bearer_token_nor_the_other_way_round(
    app: Flask, probe: Probe, user: Person
) -> None:
    browser = app.test_client()
    page = browser.get("/login").text
    csrf = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    browser.post("/login", data={"login": user.username, "password": user.password, "csrf_token": csrf})
    with browser.session_transaction() as cookie:
        of_cookie = cookie["_user_id"]
    assert plain(app).get("/api/probe", headers={"Authorization": f"Bearer {of_cookie}"}).status_code == 401
    login_token = log_in(app, user)["Authorization"].removeprefix("Bearer ")
    assert plain(app).get("/api/probe", headers={"Authorization": f"Bearer {login_token}"}).status_code == 200
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = login_token
    assert browser.get("/profile").status_code == 302
    assert probe


def test_addresses_of_a_token_are_held_to(app: Flask, caller: FlaskClient, user: Person) -> None:
    elsewhere = api_token(app, user, Scope.MODELS, networks="203.0.113.0/24")
    here = api_token(app, user, Scope.MODELS, networks="127.0.0.0/8")
    assert caller.get("/api/probe", headers=elsewhere).status_code == 401
    assert caller.get("/api/probe", headers=here).status_code == 200


def test_who_signed_in_long_ago_proves_it_again(app: Flask, probe: Probe, user: Person) -> None:
    headers, client = log_in(app, user), plain(app)
    assert client.post("/api/probe/dangerous", json={}, headers=headers).status_code == 200
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)
    with time_machine.travel(later, tick=True):
        refused = client.post("/api/probe/dangerous", json={}, headers=headers)
        assert (refused.status_code, reason_of(refused)) == (403, "confirmation_needed")
        wrong = client.post("/api/probe/dangerous", json={"proof": "no"}, headers=headers)
        assert (wrong.status_code, reason_of(wrong)) == (422, "proof_wrong")
        right = client.post("/api/probe/dangerous", json={"proof": PASSWORD}, headers=headers)
        assert right.status_code == 200, right.text
        assert client.post("/api/probe/dangerous", json={}, headers=headers).status_code == 403
    assert probe.calls == 2


def test_limits_are_told_and_held(instance: object, settings: Settings, user: Person) -> None:
    for app in running(settings.model_copy(update={"rate_limits": True})):
        probe = Probe(app)
        client = plain(app)
        answer = client.post("/api/probe", json={"name": "x"})
        assert answer.headers["RateLimit-Limit"] == "600"
        assert answer.headers["RateLimit-Remaining"] == "599"
        assert 0 < int(answer.headers["RateLimit-Reset"]) <= 61
        told = [
            client.post("/api/user/login", json={"username": user.username, "password": "no"})
            for _ in range(21)
        ]
        assert told[-1].status_code == 429
        assert int(told[-1].headers["Retry-After"]) > 0
        assert told[-1].headers["RateLimit-Remaining"] == "0"
        data_of(told[-1])
        assert probe.calls == 1


def test_other_origins_are_refused_unless_listed(app: Flask, instance: object) -> None:
    del instance
    origin = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
    closed = plain(app).options("/api/user/login", headers=origin)
    assert closed.status_code == 405
    assert "Access-Control-Allow-Origin" not in closed.headers
    allowed = ("https://app.example.com",)
    folder = app.extensions["settings"].instance_path
    for opened in running(make_settings(folder, api_cors_origins=allowed)):
        client = plain(opened)
        preflight = client.options("/api/user/login", headers=origin)
        assert preflight.status_code == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
        answer = client.post("/api/user/login", json={}, headers=origin)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert "Origin" in answer.headers["Vary"]
        for other in ("https://app.example.com.evil.example", "http://app.example.com", "null", ""):
            refused = client.options("/api/user/login", headers={**origin, "Origin": other})
            assert "Access-Control-Allow-Origin" not in refused.headers
        assert "Access-Control-Allow-Origin" not in client.options("/login", headers=origin).headers
        assert "Access-Control-Allow-Credentials" not in preflight.headers


def test_a_route_below_the_api_without_a_contract_cannot_be_mounted(app: Flask) -> None:
    app.add_url_rule("/api/forgotten", view_func=lambda: "open", endpoint="forgotten")
    assert plain(app).get("/api/forgotten").status_code == 404
    with pytest.raises(RuntimeError, match="forgotten"):
        api.check_contracts(app)
