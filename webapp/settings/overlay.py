"""The settings in force: those of the environment, and over them what the database says.

Each process keeps them and looks every two seconds whether there is a newer version. A database that is away, or
has no tables yet, leaves what was known.
"""

from __future__ import annotations

import json
from typing import Any, cast

from flask import Flask, current_app
from pydantic import SecretStr, ValidationError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from webapp.config import Settings, deployment_settings
from webapp.database import db
from webapp.lib import clock
from webapp.settings.models import SettingChange, StoredSetting
from webapp.settings.rules import CHANGEABLE, CHECK_SECONDS


class Overlay:
    """The settings in force in this process."""

    def __init__(self) -> None:
        self._base: Settings | None = None
        self._settings: Settings | None = None
        self._version = -1
        self._checked_at = float("-inf")

    def current(self) -> Settings:
        """Return the settings in force; cheap, and never fails."""
        now, base = clock.monotonic(), deployment_settings()
        if base is not self._base:
            self._base, self._settings = base, None
        if self._settings is None or now - self._checked_at > CHECK_SECONDS:
            self._checked_at = now
            self._look(base)
        return self._settings or base

    def forget(self) -> None:
        """Look again at the next call: this process has changed a setting."""
        self._checked_at = float("-inf")

    def _look(self, base: Settings) -> None:
        try:
            with db.engine.connect() as connection:
                version = connection.scalar(select(func.max(SettingChange.id))) or 0
                if version == self._version and self._settings is not None:
                    return
                rows = connection.execute(
                    select(StoredSetting.name, StoredSetting.value, StoredSetting.secret)
                )
                stored = {
                    name: SecretStr(secret) if secret else json.loads(value) for name, value, secret in rows
                }
        except (SQLAlchemyError, ValueError):
            return
        self._settings, self._version = overlaid(base, stored), version


def init_app(app: Flask) -> None:
    """Make the overlay of this application the source of its settings."""
    app.extensions["settings_overlay"] = overlay = Overlay()
    app.extensions["settings_source"] = overlay.current


def current_overlay() -> Overlay:
    """Return the overlay of the application at hand."""
    return cast(Overlay, current_app.extensions["settings_overlay"])


def overlaid(base: Settings, stored: dict[str, Any]) -> Settings:
    """Return the base with the stored values over it; one that no longer fits is left out."""
    known = {name: value for name, value in stored.items() if name in CHANGEABLE}
    try:
        return checked(base, known)
    except ValidationError:
        for name, value in known.items():
            try:
                base = checked(base, {name: value})
            except ValidationError:
                continue
        return base


def checked(base: Settings, values: dict[str, Any]) -> Settings:
    """Return the base with these values, judged by the rules of the settings; raises pydantic's ValidationError."""
    current = {name: getattr(base, name) for name in type(base).model_fields}
    return type(base).model_validate(current | values)
