"""Announcements: what administrators have to tell, at the top of pages, for some time, until it is dismissed."""

from __future__ import annotations

from flask import Flask

from webapp.accounts import service as accounts
from webapp.announcements import service, showing, views


def init_app(app: Flask) -> None:
    """Mount the page that dismisses them, and let templates ask which to show."""
    accounts.register_eraser(app, service.forget_user)
    showing.init_app(app)
    views.init_app(app)
