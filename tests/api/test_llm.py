"""Single questions over the API, the models there are, and what was used."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.api.calling import api_token, data_of, errors_of, plain, reason_of
from tests.conftest import make_settings
from tests.people import Person
from webapp.config import Settings
from webapp.database import db
from webapp.identity.rules import Scope
from webapp.llm.models import UsageEntry
from webapp.llm.providers.scripted import THOUGHTS


@pytest.fixture
def settings(instance: Path) -> Settings:
    """Settings with a price."""
    return make_settings(instance, model_prices=("scripted-echo=1000/2000",), default_model="scripted-echo")


@pytest.fixture
def headers(app: Flask, user: Person) -> dict[str, str]:
    """A token that may ask models."""
    return api_token(app, user, Scope.MODELS)


@pytest.fixture
def program(app: Flask) -> FlaskClient:
    """A program."""
    return plain(app)


def entries(app: Flask) -> list[UsageEntry]:
    with app.app_context():
        return list(db.session.scalars(select(UsageEntry).order_by(UsageEntry.id)))


def test_a_question_and_its_answer(app: Flask, program: FlaskClient, headers: dict[str, str]) -> None:
    body = {"prompt": "Be brief.", "message": "One two three", "model": "scripted-echo", "temperature": 0.5}
    data = data_of(program.post("/api/llm/generate", json=body | {"max_tokens": 9}, headers=headers))
    assert (data["text"], data["reasoning"], data["model"]) == ("One two three", "", "scripted-echo")
    assert data["finish_reason"] == "stop"
    assert data["usage"] == {"prompt_tokens": 5, "completion_tokens": 3, "estimated": False}
    (entry,) = entries(app)
    assert (entry.ending, entry.cost_micros) == ("complete", 5 * 1000 + 3 * 2000)


def test_without_a_model_the_default_one_is_asked(program: FlaskClient, headers: dict[str, str]) -> None:
    data = data_of(program.post("/api/llm/generate", json={"message": "x"}, headers=headers))
    assert data["model"] == "scripted-echo"


def test_reasoning_is_told_apart(program: FlaskClient, headers: dict[str, str]) -> None:
    body = {"message": "x", "model": "scripted-thinking", "thinking": True}
    assert data_of(program.post("/api/llm/generate", json=body, headers=headers))["reasoning"] == THOUGHTS


def test_a_repeat_with_the_same_key_asks_once(
    app: Flask, program: FlaskClient, headers: dict[str, str]
) -> None:
    keyed = headers | {"Idempotency-Key": "question-1"}
    first = program.post("/api/llm/generate", json={"message": "x"}, headers=keyed)
    again = program.post("/api/llm/generate", json={"message": "x"}, headers=keyed)
    assert first.data == again.data
    assert len(entries(app)) == 1


@pytest.mark.parametrize(
    ("body", "status", "reason", "field"),
    [
        ({}, 422, "invalid", "message"),
        ({"message": ""}, 422, "invalid", "message"),
        ({"message": "x", "nonsense": 1}, 422, "invalid", "nonsense"),
        ({"message": "x", "temperature": 2.5}, 422, "invalid", "temperature"),
        ({"message": "x", "model": "nonsense"}, 404, "model_not_found", "model"),
        ({"message": "x", "model": "scripted-fail-auth"}, 502, "provider_auth", None),
        ({"message": "x", "model": "scripted-rate-limited"}, 429, "provider_rate_limited", None),
        ({"message": "x", "model": "scripted-truncated"}, 502, "provider_truncated", None),
    ],
)
def test_what_goes_wrong(
    program: FlaskClient,
    headers: dict[str, str],
    body: dict[str, object],
    status: int,
    reason: str,
    field: str | None,
) -> None:
    answer = program.post("/api/llm/generate", json=body, headers=headers)
    assert (answer.status_code, reason_of(answer)) == (status, reason)
    assert list(errors_of(answer)) == ([field] if field else [])
    assert ("Retry-After" in answer.headers) == (status == 429)


def test_models(program: FlaskClient, headers: dict[str, str]) -> None:
    items = data_of(program.get("/api/llm/models", headers=headers))["items"]
    echo = next(each for each in items if each["name"] == "scripted-echo")
    assert echo == {
        "name": "scripted-echo",
        "label": "scripted-echo",
        "provider": "scripted",
        "thinking": False,
        "available": True,
        "default": True,
        "hint": "",
        "takes": [],
    }
    assert [each["name"] for each in items if each["thinking"]] == ["scripted-thinking"]


def test_own_usage(app: Flask, other: Person, program: FlaskClient, headers: dict[str, str]) -> None:
    nothing = data_of(program.get("/api/llm/usage", headers=headers))
    assert (nothing["answers"], nothing["tokens"], nothing["cost_micros"]) == (0, 0, None)
    for asking in (headers, api_token(app, other, Scope.MODELS)):
        data_of(program.post("/api/llm/generate", json={"message": "a b"}, headers=asking))
    own = data_of(program.get("/api/llm/usage?days=7", headers=headers))
    assert (own["answers"], own["tokens"], own["cost_micros"], own["currency"]) == (1, 4, 6000, "CNY")
    assert program.get("/api/llm/usage?days=0", headers=headers).status_code == 422
