"""Health: whether this process answers, and whether it should get requests."""

from __future__ import annotations

import os
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app
from sqlalchemy.exc import SQLAlchemyError

from webapp.config import ROOT, current_settings
from webapp.extensions import db, limiter
from webapp.web.guards import public
from webapp.web.problems import envelope

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz/live")
@public
@limiter.exempt
def live() -> Response:
    """Say that this process answers; touches nothing else."""
    return envelope({"status": "live"})


@blueprint.get("/healthz/ready")
@public
@limiter.exempt
def ready() -> Response:
    """Say whether requests should come here: 503 names what is missing."""
    checks = {
        "database": _database_check(),
        "disk": _disk_check(current_settings().instance_path),
        "draining": "draining" if current_app.extensions.get("draining") else "ok",
    }
    good = all(state == "ok" for state in checks.values())
    return envelope(
        {"checks": checks}, status=200 if good else 503, message="Success" if good else "Not ready"
    )


def head_revision() -> str | None:
    """Return the newest revision among the migration files."""
    return ScriptDirectory(str(ROOT / "migrations")).get_current_head()


def _database_check() -> str:
    try:
        with db.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError:
        return "unreachable"
    expected = current_app.extensions.setdefault("head_revision", head_revision())
    return "ok" if current == expected else "migrations pending"


def _disk_check(folder: Path) -> str:
    return "ok" if os.access(folder, os.W_OK) else "not writable"
