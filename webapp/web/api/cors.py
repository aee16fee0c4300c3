"""CORS: closed, but for the origins that are listed; credentials never, because no cookie counts here."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

from webapp.config import Settings
from webapp.web.requests import in_api

METHODS: Final = "GET, POST, PUT, PATCH, DELETE"
HEADERS: Final = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Accept-Language"
EXPOSED: Final = (
    "X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Idempotency-Replayed"
)
MAX_AGE_SECONDS: Final = 600


def init_app(app: Flask, settings: Settings) -> None:
    """Answer preflights, and name the origin in answers, for the listed origins."""
    allowed = frozenset(settings.api_cors_origins)
    if not allowed:
        return

    def preflight() -> Response | None:
        if not in_api() or request.method != "OPTIONS" or request.origin not in allowed:
            return None
        if "Access-Control-Request-Method" not in request.headers:
            return None
        response = app.response_class(status=204)
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Allow-Headers"] = HEADERS
        response.headers["Access-Control-Max-Age"] = str(MAX_AGE_SECONDS)
        return response

    def name_origin(response: Response) -> Response:
        if in_api():
            response.vary.add("Origin")
            if request.origin in allowed:
                response.headers["Access-Control-Allow-Origin"] = request.origin
                response.headers["Access-Control-Expose-Headers"] = EXPOSED
        return response

    app.before_request(preflight)
    app.after_request(name_origin)
