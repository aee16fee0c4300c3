"""What the kit knows about the request at hand: its id, its sender, what kind of answer it wants; and its log line."""

from __future__ import annotations

import logging
import re
import time
from typing import Final, cast

from flask import Flask, Response, g, has_request_context, request

from webapp import metrics
from webapp.config import Settings
from webapp.lib import ids

log = logging.getLogger("webapp.request")

API_PREFIXES: Final = ("/api/", "/v1/")
ADMIN_BLUEPRINT: Final = "dashboard"
_FOREIGN_ID: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_QUIET: Final = frozenset({"assets.serve", "health.live", "health.ready", "monitoring.metrics"})


def init_app(app: Flask, settings: Settings) -> None:
    """Give every request an id and a log line, and every response that id."""

    def begin() -> None:
        g.began = time.perf_counter()
        g.request_id = ids.request_id()
        foreign = request.headers.get("X-Request-Id", "")
        if settings.proxy_count and _FOREIGN_ID.fullmatch(foreign):
            g.request_id = foreign

    app.before_request(begin)
    app.after_request(_finish)


def current_request_id() -> str:
    """Return the id of the request at hand, or an empty string outside one."""
    return cast(str, g.get("request_id", "")) if has_request_context() else ""


def in_request() -> bool:
    """Tell whether this runs for a request, rather than on the command line or in recurring work."""
    return has_request_context()


def in_admin_area() -> bool:
    """Tell whether the view asked for is one of the dashboard, whose guard is its own."""
    return (request.blueprint or "").partition(".")[0] == ADMIN_BLUEPRINT


def in_api() -> bool:
    """Tell whether the address asked for is one of the API, which knows bearer tokens only."""
    return request.path.startswith(API_PREFIXES)


def client_address() -> str:
    """Return the sender's address; forwarded headers count only as far as proxies are configured."""
    return request.remote_addr or "unknown"


def wants_page() -> bool:
    """Tell whether the answer should be a page rather than an envelope."""
    if in_api():
        return False
    accepted = request.accept_mimetypes
    if accepted.best == "text/event-stream":
        return False
    return accepted["text/html"] >= accepted["application/json"]


def _finish(response: Response) -> Response:
    if "request_id" not in g:
        g.request_id = ids.request_id()
    response.headers["X-Request-Id"] = g.request_id
    _count(response)
    level = logging.DEBUG if request.endpoint in _QUIET and response.status_code < 400 else logging.INFO
    log.log(
        level,
        "request",
        extra={
            "method": request.method,
            "route": request.url_rule.rule if request.url_rule else None,
            "status": response.status_code,
            "duration_ms": round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
            "address": client_address(),
        },
    )
    return response


def _count(response: Response) -> None:
    """Count the request; its route is the pattern, and its method one that some route has."""
    route, area = "none", "none"
    if request.url_rule is not None:
        route, area = request.url_rule.rule, (request.blueprint or "static").partition(".")[0]
    method = request.method if request.method in _METHODS else "other"
    metrics.count("http_requests_total", method=method, route=route, status=str(response.status_code))
    metrics.observe(
        "http_request_seconds", time.perf_counter() - g.get("began", time.perf_counter()), area=area
    )
