"""A small application with the front end alone: no database, no features."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, request
from flask_babel import Babel
from jinja2 import StrictUndefined

from webapp.web import assets, filters

LIN_YUE = SimpleNamespace(
    is_authenticated=True,
    display_name="Lin Yue",
    email="lin.yue@example.com",
    avatar_url=None,
    public_id="p1",
)
NOBODY = SimpleNamespace(is_authenticated=False)
ENDPOINTS = {
    "accounts.login": "/login",
    "accounts.register": "/register",
    "accounts.logout": "/logout",
    "accounts.profile": "/profile",
    "chat.index": "/chat",
    "site.home": "/",
    "site.privacy": "/privacy",
    "site.set_language": "/preferences/language",
    "site.set_theme": "/preferences/theme",
}


def make_app(instance: Path, reader: Any = LIN_YUE) -> Flask:
    """Return an application that can render the shared templates for one reader, language by `?l=`."""
    app = Flask("webapp", static_folder=None, instance_path=str(instance))
    app.secret_key = "front end tests"
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Babel(app, locale_selector=lambda: request.args.get("l", "en"), timezone_selector=lambda: "Asia/Shanghai")
    assets.init_app(app)
    filters.init_app(app)
    for endpoint, path in ENDPOINTS.items():
        app.add_url_rule(path, endpoint, lambda: "")

    @app.context_processor
    def context() -> dict[str, Any]:
        locale = request.args.get("l", "en")
        return {
            "csrf_token": lambda: "token",
            "current_user": reader,
            "locale": locale,
            "lang": locale.replace("_", "-"),
            "theme": request.args.get("t", "auto"),
            "site_name": "Agent Tools",
            "request_id": "8f3k2m9q",
            "languages": {"en": "English", "zh_CN": "中文"},
        }

    return app
