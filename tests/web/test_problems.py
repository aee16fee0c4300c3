"""Refusals and failures: one shape for programs, plain words for people, no secrets for either."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from tests.conftest import make_settings, running
from tests.pages import PageClient
from webapp.errors import Conflict, Invalid, TooMany
from webapp.web.guards import public

JSON = {"Accept": "application/json"}


@pytest.fixture
def broken(app: Flask) -> Flask:
    """The application with routes that fail in each way."""

    def raising(error: Exception) -> object:
        @public
        def view() -> str:
            raise error

        return view

    failures = {
        "invalid": Invalid("That does not fit.", field="name"),
        "conflict": Conflict("Somebody was first.", code="taken"),
        "too-many": TooMany("Later.", retry_after_seconds=42),
        "database": OperationalError("SELECT secret_column", {}, Exception(2006, "server has gone away")),
        "bug": RuntimeError("/secret/path and a stack"),
    }
    for name, error in failures.items():
        app.add_url_rule(f"/fails/{name}", name, raising(error), methods=["GET", "POST"])  # type: ignore[arg-type]
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.testing = False
    return app


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/fails/invalid", 422, "invalid"),
        ("/fails/conflict", 409, "taken"),
        ("/fails/too-many", 429, "too_many"),
        ("/fails/database", 503, "database_unavailable"),
        ("/fails/bug", 500, "internal"),
        ("/nowhere", 404, "not_found"),
    ],
)
def test_page_and_envelope_tell_the_same(broken: Flask, path: str, status: int, reason: str) -> None:
    client = broken.test_client()
    page = client.get(path, headers={"Accept": "text/html"})
    envelope = client.get(path, headers=JSON)
    assert page.status_code == envelope.status_code == status
    assert envelope.json is not None
    assert envelope.json["code"] == str(status)
    assert envelope.json["data"]["reason"] == reason
    assert envelope.json["data"]["request_id"] == envelope.headers["X-Request-Id"]
    for text in (page.text, envelope.text):
        assert not any(word in text for word in ("secret", "SELECT", "Traceback", "werkzeug", "RuntimeError"))
    if status == 500:
        assert page.headers["X-Request-Id"] in page.text


def test_field_and_retry_after_are_told(broken: Flask) -> None:
    client = broken.test_client()
    refused = client.get("/fails/invalid", headers=JSON).json
    assert refused is not None
    assert refused["data"]["errors"] == {"name": ["That does not fit."]}
    assert client.get("/fails/too-many").headers["Retry-After"] == "42"
    assert int(client.get("/fails/database").headers["Retry-After"]) > 0


def test_api_paths_always_get_the_envelope(app: Flask) -> None:
    response = app.test_client().get("/api/nowhere", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert response.is_json


def test_body_that_is_too_large_is_413(app: Flask) -> None:
    response = app.test_client().post("/login", data={"login": "x" * 5_000_000})
    assert response.status_code == 413


def test_form_without_token_is_refused_in_words(app: Flask) -> None:
    response = app.test_client().post("/login", data={"login": "a", "password": "b"})
    assert response.status_code == 400
    assert "reload it and try again" in response.text


@pytest.mark.parametrize("value", ["\x00", "%00", "\udcff".encode("utf-8", "surrogatepass"), "a" * 9000])
def test_malformed_query_never_breaks_a_page(app: Flask, value: str | bytes) -> None:
    response = app.test_client().get("/login", query_string={"next": value})
    assert response.status_code < 500


def test_limits_hold_and_say_when_to_come_back(instance: Path) -> None:
    for app in running(make_settings(instance, rate_limits=True)):
        client = app.test_client()
        assert isinstance(client, PageClient)
        token = client.csrf_token("/login")
        data = {"csrf_token": token, "login": "nobody", "password": "wrong horse battery"}
        told = [client.post("/login", data=data).status_code for _ in range(12)]
        assert 429 in told
        last = client.post("/login", data=data)
        assert last.status_code == 429
        assert int(last.headers["Retry-After"]) > 0


def test_database_that_is_away_is_told_and_health_says_so(instance: Path) -> None:
    settings = make_settings(instance, database_url="mysql://nobody:none@127.0.0.1:9/none")
    for app in running(settings):
        client = app.test_client()
        assert client.get("/healthz/live").status_code == 200
        ready = client.get("/healthz/ready")
        assert ready.status_code == 503
        assert ready.json is not None
        assert ready.json["data"]["checks"]["database"] == "unreachable"
        token = client.csrf_token("/login")
        answer = client.post(
            "/login", data={"csrf_token": token, "login": "somebody", "password": "correct horse battery"}
        )
        assert answer.status_code == 503
        assert "does not answer" in answer.text
