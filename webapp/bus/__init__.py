"""What processes share through Redis where there is one: a line to it, and hints to each other to look now.

Nothing depends on it. A hint says only where to look; what is true is in the database, which every process also
looks at by itself after a while.
"""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app

from webapp.bus.hints import Hints
from webapp.bus.line import Line
from webapp.config import Settings

__all__ = ["Hints", "Line", "hints", "init_app", "line", "start", "stop"]

_LINE, _HINTS = "redis_line", "redis_hints"


def init_app(app: Flask, settings: Settings) -> None:
    """Make the line and the hints of this process; connects to nothing yet."""
    app.extensions[_LINE] = made = Line(settings.redis_url, settings.secret_key.get_secret_value())
    app.extensions[_HINTS] = Hints(made)


def start(app: Flask) -> None:
    """Start to watch the line and to listen; without Redis there is nothing to do."""
    hints(app).start()


def stop(app: Flask) -> None:
    """Stop listening."""
    hints(app).stop()


def line(app: Flask | None = None) -> Line:
    """Return the line to Redis of an application, by default of the one at hand."""
    return cast(Line, (app or current_app).extensions[_LINE])


def hints(app: Flask | None = None) -> Hints:
    """Return the hints of an application, by default of the one at hand."""
    return cast(Hints, (app or current_app).extensions[_HINTS])
