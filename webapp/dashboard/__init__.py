"""The dashboard of administrators: one guard, one layout, and the pages that the features bring."""

from __future__ import annotations

from flask import Blueprint, Flask

from webapp.dashboard import confirming, guard, navigation, overview, signing
from webapp.web.requests import ADMIN_BLUEPRINT

# What each feature brings: blueprints of pages, mounted below /admin.
PAGES: tuple[Blueprint, ...] = (signing.blueprint, confirming.blueprint, overview.blueprint)


def init_app(app: Flask) -> None:
    """Mount the pages behind the guard."""
    parent = Blueprint(ADMIN_BLUEPRINT, __name__, url_prefix="/admin", template_folder="templates")
    parent.before_request(guard.check)
    parent.context_processor(navigation.template_context)
    for blueprint in PAGES:
        parent.register_blueprint(blueprint)
    app.register_blueprint(parent)
