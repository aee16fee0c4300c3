"""Announcements: what administrators have to tell, at the top of pages, for some time, until it is dismissed."""

from __future__ import annotations

from flask import Flask

from webapp.announcements import showing, views


def init_app(app: Flask) -> None:
    """Mount the page that dismisses them, and let templates ask which to show."""
    showing.init_app(app)
    views.init_app(app)
