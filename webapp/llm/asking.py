"""Asking models: which there are, and the stream of an answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, cast

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select

from webapp.config import current_settings
from webapp.database import db
from webapp.errors import NotFound, Unavailable
from webapp.lib.text import estimate_tokens
from webapp.llm import catalogue
from webapp.llm.catalogue import Providers
from webapp.llm.counting import CountedStream
from webapp.llm.errors import ProviderError, ProviderErrorKind
from webapp.llm.models import UsageEntry
from webapp.llm.prices import Price
from webapp.llm.prices import read as read_prices
from webapp.llm.providers.contract import AnswerStream
from webapp.llm.rules import ChatRequest, ModelInfo, Usage

UNAVAILABLE_SECONDS: Final = 10


def models() -> list[ModelInfo]:
    """Return the models that are offered, those that cannot be asked just now among them."""
    return [offer.info for offer in catalogue.offers(current_settings())]


def label_of(name: str) -> str:
    """Return how a model is called on pages, also one that is not offered any more."""
    for model in models():
        if model.name == name:
            return model.label
    return catalogue.label_of(name)


def get_model(name: str) -> ModelInfo:
    """Return an offered model; raises NotFound, or Unavailable for one that cannot be asked just now."""
    for model in models():
        if model.name == name:
            if model.available:
                return model
            sentence = _("This model cannot be asked at the moment. Try again shortly.")
            raise Unavailable(sentence, code="model_unavailable", retry_after_seconds=UNAVAILABLE_SECONDS)
    sentence = _("There is no such model, or it is not offered any more.")
    raise NotFound(sentence, field="model", code="model_not_found")


def chosen_model(name: str | None) -> ModelInfo:
    """Return the model of that name, or without one the model of a new chat; raises NotFound or Unavailable."""
    if name:
        return get_model(name)
    model = default_model()
    if model is None:
        raise Unavailable(_("No model is set up yet. An administrator can add one; see the README."))
    return model


def takes(model: ModelInfo) -> frozenset[str]:
    """Return which options beside messages the provider of a model can pass on."""
    return catalogue.takes(model.provider)


def currency() -> str:
    """Return the currency of prices and costs."""
    return current_settings().price_currency


def default_model() -> ModelInfo | None:
    """Return the model of a new chat: the one the settings name, or the first that can be asked."""
    available = [model for model in models() if model.available]
    wanted = current_settings().default_model
    return next((model for model in available if model.name == wanted), next(iter(available), None))


def open_stream(request: ChatRequest) -> AnswerStream:
    """Return the stream of an answer; raises ProviderError if no provider has the model."""
    settings = current_settings()
    for offer in catalogue.offers(settings):
        if offer.info.name == request.model:
            provider = cast(Providers, current_app.extensions["llm"]).get(offer.info.provider, settings)
            return CountedStream(provider.open(replace(request, model=offer.model)), offer.info.provider)
    raise ProviderError(ProviderErrorKind.REJECTED, "no provider offers this model")


def prices() -> dict[str, Price]:
    """Return the price of each model that has one."""
    return read_prices(current_settings().model_prices)


def price_of(model: str) -> Price | None:
    """Return the price of a model, None where the settings state none."""
    return prices().get(model)


def costs_of(sources: Iterable[str]) -> dict[str, int | None]:
    """Return what the runs that the ledger has under these names cost, in millionths; None where that is not known."""
    rows = db.session.execute(
        select(UsageEntry.source, UsageEntry.cost_micros).where(UsageEntry.source.in_(list(sources)))
    )
    return {row.source: row.cost_micros for row in rows}


def estimate_usage(request: ChatRequest, text: str) -> Usage:
    """Return what an answer took where the provider did not say."""
    asked = sum(estimate_tokens(message.content) for message in request.messages)
    return Usage(asked, estimate_tokens(text), estimated=True)
