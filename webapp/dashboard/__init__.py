"""The dashboard of administrators: one guard, one layout, and the pages that the features bring."""

from __future__ import annotations

from flask import Blueprint, Flask

from webapp.accounts import admin as users
from webapp.admins import admin as admins
from webapp.announcements import admin as announcements
from webapp.audit import admin as audit
from webapp.dashboard import (
    confirming,
    guard,
    mail,
    navigation,
    overview,
    problems,
    setup,
    signing,
    snapshots,
    system,
    usage,
)
from webapp.errors import AppError
from webapp.identity import admin as codes
from webapp.llm import admin as providers
from webapp.prompts import admin as prompts
from webapp.settings import admin as settings
from webapp.tasks import admin as tasks
from webapp.web.requests import ADMIN_BLUEPRINT

# What each feature brings: blueprints of pages, mounted below /admin.
PAGES: tuple[Blueprint, ...] = (
    signing.blueprint,
    confirming.blueprint,
    setup.blueprint,
    overview.blueprint,
    usage.blueprint,
    system.blueprint,
    users.blueprint,
    tasks.blueprint,
    prompts.blueprint,
    codes.blueprint,
    mail.blueprint,
    announcements.blueprint,
    admins.account,
    admins.second_factor,
    admins.administrators,
    admins.roles,
    admins.lockouts,
    providers.blueprint,
    audit.blueprint,
    settings.blueprint,
)


def init_app(app: Flask) -> None:
    """Mount the pages behind the guard."""
    snapshots.init_app(app)
    parent = Blueprint(ADMIN_BLUEPRINT, __name__, url_prefix="/admin", template_folder="templates")
    parent.before_request(guard.check)
    parent.register_error_handler(AppError, problems.on_refusal)
    parent.context_processor(navigation.template_context)
    for blueprint in PAGES:
        parent.register_blueprint(blueprint)
    app.register_blueprint(parent)
