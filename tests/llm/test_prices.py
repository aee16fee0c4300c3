"""What answers cost, and that it stands under them."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.chat.waiting import ask, wait_for_end
from tests.conftest import make_settings
from tests.pages import PageClient
from webapp.config import Settings, SettingsError, load_settings
from webapp.extensions import db
from webapp.llm import prices
from webapp.llm.models import UsageEntry
from webapp.llm.rules import Usage


@pytest.fixture
def settings(instance: Path) -> Settings:
    return make_settings(instance, model_prices=("scripted-echo=2/8",))


def test_cost_counts_both_sides_in_millionths() -> None:
    price = prices.read(["glm-4-plus=5/5", "a=b=0.15/0.6"])["a=b"]
    assert price.cost_micros(Usage(1000, 2000)) == 1350
    assert price.cost_micros(Usage(0, 0)) == 0


def test_cost_is_stored_and_shown(app: Flask, signed_in: PageClient) -> None:
    sent = ask(signed_in, "one two three", "scripted-echo")
    assert wait_for_end(signed_in, sent["answer"]) == "complete"
    with app.app_context():
        entry = db.session.scalars(sa.select(UsageEntry)).one()
        assert (entry.prompt_tokens, entry.completion_tokens, entry.cost_micros) == (3, 3, 30)
    assert "¥0.00003" in signed_in.get(f"/chat/answers/{sent['answer']}").text


def test_model_without_a_price_shows_no_cost(app: Flask, signed_in: PageClient) -> None:
    sent = ask(signed_in, "Hello", "scripted-markdown")
    wait_for_end(signed_in, sent["answer"])
    with app.app_context():
        assert db.session.scalars(sa.select(UsageEntry)).one().cost_micros is None
    assert "¥" not in signed_in.get(f"/chat/answers/{sent['answer']}").text


@pytest.mark.parametrize(
    ("micros", "currency", "shown"),
    [
        (1300, "CNY", "¥0.0013"),
        (12, "USD", "$0.000012"),
        (0, "EUR", "€0.00"),
        (1_234_567_890, "GBP", "£1,234.57"),
        (50_000, "CHF", "CHF\u00a00.05"),
    ],
)
def test_amounts_are_shown_to_the_digits_that_count(
    app: Flask, micros: int, currency: str, shown: str
) -> None:
    app.extensions["settings"] = app.extensions["settings"].model_copy(update={"price_currency": currency})
    with app.test_request_context():
        assert app.jinja_env.filters["money"](micros) == shown


@pytest.mark.parametrize("entry", ["glm-4-plus", "glm-4-plus=5", "=5/5", "glm-4-plus=5/x", "glm-4-plus=-1/2"])
def test_wrong_price_is_told(tmp_path: Path, entry: str) -> None:
    with pytest.raises(SettingsError, match="MODEL_PRICES"):
        load_settings(profile="test", instance_path=tmp_path, model_prices=(entry,))
