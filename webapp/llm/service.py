"""Models as other units use them."""

from flask import Flask

from webapp.config import current_settings
from webapp.llm.asking import (
    chosen_model,
    costs_of,
    currency,
    default_model,
    estimate_usage,
    get_model,
    label_of,
    models,
    open_stream,
    price_of,
    prices,
    takes,
)
from webapp.llm.calls import Calls, Ticket, calls, check_capacity, register_under_way
from webapp.llm.catalogue import Providers
from webapp.llm.completions import Completion, check_options, complete, gather
from webapp.llm.prices import Price
from webapp.llm.providers import zhipu

__all__ = [
    "Completion",
    "Price",
    "Ticket",
    "calls",
    "check_capacity",
    "check_options",
    "chosen_model",
    "complete",
    "costs_of",
    "currency",
    "default_model",
    "estimate_usage",
    "gather",
    "get_model",
    "init_app",
    "label_of",
    "models",
    "open_stream",
    "prepare",
    "price_of",
    "prices",
    "register_under_way",
    "takes",
]


def init_app(app: Flask) -> None:
    """Give the application its providers; opens nothing."""
    app.extensions["llm"] = Providers()
    app.extensions["llm_calls"] = Calls(app)
    app.extensions["llm_under_way"] = []


def prepare() -> None:
    """Load the vendor's SDK where a key for it is set; it takes a quarter of a second that no reader should wait for."""
    if current_settings().zhipuai_api_key.get_secret_value():
        zhipu.load_sdk()
