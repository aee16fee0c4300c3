"""Asking models: which there are, and the stream of an answer."""

from __future__ import annotations

from flask import Flask, current_app

from webapp.config import current_settings
from webapp.lib.text import estimate_tokens
from webapp.llm.providers.contract import AnswerStream
from webapp.llm.providers.scripted import SCRIPTS, ScriptedProvider
from webapp.llm.rules import ChatRequest, ModelInfo, Usage


def init_app(app: Flask) -> None:
    """Make the providers of the application; opens nothing."""
    app.extensions["llm"] = {"scripted": ScriptedProvider()}


def models() -> list[ModelInfo]:
    """Return the models that can be asked."""
    if not current_settings().scripted_models:
        return []
    return [
        ModelInfo(name, label_of(name), "scripted", thinking=name == "scripted-thinking") for name in SCRIPTS
    ]


def label_of(name: str) -> str:
    """Return how a model is called on pages."""
    return name


def default_model() -> ModelInfo | None:
    """Return the model of a new chat."""
    return next(iter(models()), None)


def open_stream(request: ChatRequest) -> AnswerStream:
    """Return the stream of an answer."""
    stream: AnswerStream = current_app.extensions["llm"]["scripted"].open(request)
    return stream


def estimate_usage(request: ChatRequest, text: str) -> Usage:
    """Return what an answer took where the provider did not say."""
    asked = sum(estimate_tokens(message.content) for message in request.messages)
    return Usage(asked, estimate_tokens(text), estimated=True)
