"""The system check of models."""

from __future__ import annotations

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.lib import checks
from webapp.lib.checks import Finding
from webapp.llm import service


def init_app(app: Flask) -> None:
    """Register the check."""
    checks.register(app, "models", _l("Models"), _models)


def _models() -> Finding:
    offered = service.models()
    ready = [model for model in offered if model.available]
    value = _("%(ready)s of %(all)s ready", ready=len(ready), all=len(offered))
    if not offered:
        return Finding(
            "bad", _("none"), _("Set the key of a provider in the settings, or turn on the embedded model.")
        )
    if not ready:
        return Finding("bad", value, _("Look at the providers' keys and addresses in the settings."))
    return Finding("ok" if len(ready) == len(offered) else "warn", value)
