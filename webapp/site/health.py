"""Health: whether this process answers, and whether it should get requests."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from webapp import bus
from webapp.config import current_settings
from webapp.database.revisions import migrations_pending
from webapp.extensions import limiter
from webapp.lib import sse
from webapp.web.guards import public
from webapp.web.limits import limit
from webapp.web.problems import envelope
from webapp.web.requests import client_address

blueprint = Blueprint("health", __name__)

STREAM_EVENTS: Final = 4
STREAM_PAUSE_SECONDS: Final = 0.25
_FORWARDED: Final = ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via")


@blueprint.get("/healthz/live")
@public
@limiter.exempt
def live() -> Response:
    """Say that this process answers; touches nothing else."""
    return envelope({"status": "live"})


@blueprint.get("/healthz/stream")
@public
@limit("stream_test")
def stream() -> Response:
    """Send a few events over a second, and say how the caller is seen: for a test of the proxies in between."""
    told = {
        "address": client_address(),
        "scheme": request.scheme,
        "host": request.host,
        "forwarded": any(name in request.headers for name in _FORWARDED),
        "lasts_seconds": STREAM_EVENTS * STREAM_PAUSE_SECONDS,
    }
    response = Response(_events(told), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _events(told: dict[str, Any]) -> Iterator[bytes]:
    yield sse.frame("seen", json.dumps(told))
    for number in range(STREAM_EVENTS):
        time.sleep(STREAM_PAUSE_SECONDS)
        yield sse.frame("count", str(number))


@blueprint.get("/healthz/ready")
@public
@limiter.exempt
def ready() -> Response:
    """Say whether requests should come here: 503 names what is missing; what the program can do without is told only."""
    needed = {
        "database": _database_check(),
        "disk": _disk_check(current_settings().instance_path),
        "draining": "draining" if current_app.extensions.get("draining") else "ok",
    }
    good = all(state == "ok" for state in needed.values())
    return envelope(
        {"checks": {**needed, **_helpful()}},
        status=200 if good else 503,
        message="Success" if good else "Not ready",
    )


def _database_check() -> str:
    try:
        return "migrations pending" if migrations_pending() else "ok"
    except SQLAlchemyError:
        return "unreachable"


def _helpful() -> dict[str, str]:
    """Return the states of what makes the program faster, and is not needed."""
    line = bus.line()
    return {"redis": "ok" if line.up else "degraded"} if line.configured else {}


def _disk_check(folder: Path) -> str:
    return "ok" if os.access(folder, os.W_OK) else "not writable"
