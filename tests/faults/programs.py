"""Whole programs for tests of faults: an instance with people in it, and questions to a running server."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from flask_migrate import upgrade

from tests.conftest import make_settings
from tests.people import add_user
from webapp.app import create_app
from webapp.extensions import db

PEOPLE = ("lin.yue", "wang.wei")


def make_instance(folder: Path, template: Path, database_url: str = "") -> Path:
    """Make an instance folder whose database, SQLite or the one of the URL, knows Lin Yue and Wang Wei."""
    folder.mkdir(exist_ok=True)
    if not database_url:
        shutil.copy(template, folder / "agent-tools.db")
    app = create_app(make_settings(folder, database_url=database_url))
    if database_url:
        with app.app_context():
            upgrade()
    for name in PEOPLE:
        add_user(app, name, name)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    return folder


def readiness(url: str) -> tuple[int, dict[str, Any]]:
    """Return the status of the readiness check, and its findings; (0, {}) where nobody answers."""
    try:
        with urllib.request.urlopen(f"{url}/healthz/ready", timeout=20) as response:
            return response.status, json.load(response)["data"]["checks"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["data"]["checks"]
    except OSError:
        return 0, {}
