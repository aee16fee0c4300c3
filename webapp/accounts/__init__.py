"""Users: register, sign in, reset, profile, avatar."""

from __future__ import annotations

from flask import Flask

from webapp.accounts import service, views
from webapp.identity import service as identity
from webapp.identity.rules import Realm


def init_app(app: Flask) -> None:
    """Mount the pages and tell identity how a user is loaded."""
    identity.register_realm(Realm.USER, service.load_user)
    app.register_blueprint(views.blueprint)
