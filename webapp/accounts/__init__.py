"""Users: register, sign in, reset, profile, avatar."""

from __future__ import annotations

from flask import Flask

from webapp.accounts import cli, exporting, service, views
from webapp.accounts.administration import listing
from webapp.identity import service as identity
from webapp.identity.rules import Realm


def init_app(app: Flask) -> None:
    """Mount the pages and tell identity how a user is loaded."""
    identity.register_realm(Realm.USER, service.load_user, seen=service.note_seen)
    listing.init_app(app)
    app.cli.add_command(cli.group)
    exporting.register_export(app, "accounts", exporting.own_parts)
    app.register_blueprint(views.blueprint)
