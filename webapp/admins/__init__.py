"""Administrators: their own accounts, roles and permissions; a realm apart from that of users."""

from __future__ import annotations

from flask import Flask

from webapp.admins import cli, service
from webapp.identity import service as identity
from webapp.identity.rules import Realm


def init_app(app: Flask) -> None:
    """Tell identity how an administrator is loaded, and add the commands."""
    identity.register_realm(Realm.ADMIN, service.load_admin)
    app.cli.add_command(cli.group)
