"""What holds for every request below the prefixes of the API, whether there is such a route or not."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request
from flask_babel import gettext as _
from flask_login import AnonymousUserMixin
from werkzeug.routing import RequestRedirect

from webapp.config import Settings
from webapp.errors import NotFound
from webapp.extensions import limiter
from webapp.web.api import cors
from webapp.web.requests import in_api


def init_app(app: Flask, settings: Settings) -> None:
    """Let cookies sign nobody in, and tell the limits and the way of signing in by headers."""
    app.before_request(_forget_cookies)
    cors.init_app(app, settings)
    app.after_request(_add_headers)


def _forget_cookies() -> None:
    if in_api():
        g._login_user = AnonymousUserMixin()  # noqa: SLF001
        if isinstance(request.routing_exception, RequestRedirect):
            raise NotFound(
                _("There is nothing here.")
            )  # programs are not led to another spelling of an address


def _add_headers(response: Response) -> Response:
    if not in_api():
        return response
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    current = limiter.current_limit if request.endpoint else None
    if current is not None:
        response.headers["RateLimit-Limit"] = str(current.limit.amount)
        response.headers["RateLimit-Remaining"] = str(max(0, current.remaining))
        response.headers["RateLimit-Reset"] = str(max(0, round(current.reset_at - time.time())))
    return response
