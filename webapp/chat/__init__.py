"""Conversations, messages and live answers."""

from __future__ import annotations

from flask import Flask

from webapp.accounts import service as accounts
from webapp.chat import exporting, service, stream, views
from webapp.chat.live.runtime import Runtime, runtime
from webapp.llm import service as llm


def init_app(app: Flask) -> None:
    """Mount the pages and make the runtime of live answers; it starts nothing yet."""
    app.extensions["chat"] = Runtime(app)
    accounts.register_export(app, "chat", exporting.export)
    llm.register_under_way(app, service.live_answers)
    accounts.register_busy(app, service.users_with_live_answers)
    app.register_blueprint(views.blueprint)
    app.register_blueprint(stream.blueprint)


def start(app: Flask) -> None:  # noqa: ARG001
    """Start the loops of this process."""
    runtime().start()


def stop(app: Flask) -> None:  # noqa: ARG001
    """Send readers elsewhere and start no new answers."""
    runtime().drain()


def finish(app: Flask, seconds: float) -> None:  # noqa: ARG001
    """Let the answers under way end, for so long, and commit everything."""
    runtime().finish(seconds)
