"""The settings in force: those of the environment, and over them what the database says.

Each process keeps them and looks every two seconds whether there is a newer version; with Redis, also at once where
another process says that there is. A database that is away, or
has no tables yet, leaves what was known.
"""

from __future__ import annotations

from typing import Any, Final, cast

from flask import Flask, current_app
from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from webapp import bus
from webapp.config import Settings, deployment_settings
from webapp.database import db
from webapp.lib import clock
from webapp.settings.faults import checked
from webapp.settings.models import SettingChange, StoredSetting
from webapp.settings.rules import CHANGEABLE, CHECK_SECONDS
from webapp.settings.values import stored_value

TOPIC: Final = "settings"


class Overlay:
    """The settings in force in this process."""

    def __init__(self) -> None:
        self._base: Settings | None = None
        self._settings: Settings | None = None
        self._version: tuple[int, int] = (-1, 0)
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

    def changed(self) -> None:
        """Look again at the next call, here and in the other processes."""
        self.forget()
        bus.hints().tell(TOPIC)

    def _look(self, base: Settings) -> None:
        try:
            with db.engine.connect() as connection:
                # The count as well: of two changes at once the one with the lower number may be committed last.
                last, count = connection.execute(
                    select(func.max(SettingChange.id), func.count(SettingChange.id))
                ).one()
                version = (last or 0, count)
                if version == self._version and self._settings is not None:
                    return
                rows = connection.execute(
                    select(StoredSetting.name, StoredSetting.value, StoredSetting.secret)
                )
                stored = {name: stored_value(value, secret) for name, value, secret in rows}
        except (SQLAlchemyError, ValueError):
            return
        self._settings, self._version = overlaid(base, stored), version


def init_app(app: Flask) -> None:
    """Make the overlay of this application the source of its settings."""
    app.extensions["settings_overlay"] = overlay = Overlay()
    app.extensions["settings_source"] = overlay.current
    bus.hints(app).on(TOPIC, lambda _word: overlay.forget())


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
