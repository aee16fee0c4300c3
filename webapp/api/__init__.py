"""The JSON API: bearer tokens, one envelope, and the routes that the features bring."""

from __future__ import annotations

from flask import Flask

from webapp.accounts import api as accounts
from webapp.accounts import users_api as users
from webapp.admins import api as admins
from webapp.api import docs, guard
from webapp.audit import api as audit
from webapp.chat import api as chat
from webapp.llm import api as llm
from webapp.settings import api as settings
from webapp.tasks import api as tasks
from webapp.web.api import Routes
from webapp.web.api.routes import GUARD, contract_of
from webapp.web.problems import register_format
from webapp.web.requests import API_PREFIXES

# What each feature brings.
ROUTES: tuple[Routes, ...] = (
    accounts.routes,
    admins.routes,
    docs.routes,
    users.routes,
    settings.routes,
    audit.routes,
    tasks.routes,
    *llm.ROUTES,
    *chat.ROUTES,
)


def init_app(app: Flask) -> None:
    """Mount the routes behind the guard."""
    app.extensions[GUARD] = guard.admit
    register_format(app, "/v1/", llm.openai_problem)
    for routes in ROUTES:
        routes.mount(app)
    check_contracts(app)


def check_contracts(app: Flask) -> None:
    """Raise where a route below the API has no contract, and with it no guard."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(API_PREFIXES) and contract_of(app.view_functions[rule.endpoint]) is None:
            raise RuntimeError(f"{rule.rule} has no contract: declare it with webapp.web.api.Routes")
