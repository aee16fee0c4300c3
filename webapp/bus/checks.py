"""The system check of Redis: that it answers and takes writes; without it the program goes on."""

from __future__ import annotations

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp import bus
from webapp.lib import checks
from webapp.lib.checks import Finding


def init_app(app: Flask) -> None:
    """Register the check."""
    checks.register(app, "redis", _l("Redis"), lambda: _redis(app))


def _redis(app: Flask) -> Finding:
    line = bus.line(app)
    if not line.configured:
        return Finding("idle", _("not configured"))
    if line.probe():
        return Finding("ok", _("answers and takes writes"))
    if line.error in {"OutOfMemoryError", "ReadOnlyError"}:
        fix = _("Give it memory, or the role of a primary. Until then each process counts its limits alone.")
        return Finding("warn", _("takes no writes"), fix)
    fix = _("Start Redis, or empty REDIS_URL. Until then each process counts its limits alone.")
    return Finding("warn", _("does not answer"), fix)
