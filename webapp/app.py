"""The application, put together."""

from __future__ import annotations

import logging

from flask import Flask
from jinja2 import StrictUndefined
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import (
    accounts,
    admins,
    announcements,
    api,
    audit,
    background,
    backup,
    bus,
    chat,
    dashboard,
    doctor,
    llm,
    metrics,
    prompts,
    site,
)
from webapp import settings as runtime_settings
from webapp.admins import service as admin_service
from webapp.bus import checks as bus_checks
from webapp.config import ROOT, Settings, load_settings, with_own_secrets
from webapp.database import checks as database_checks
from webapp.database import transactions, waiting
from webapp.database.engine import engine_options, init_engine
from webapp.extensions import csrf, db, login_manager, migrate
from webapp.llm import checks as model_checks
from webapp.mail import checks as mail_checks
from webapp.mail import delivery, senders
from webapp.tasks import checks as task_checks
from webapp.web import assets, departures, filters, guards, headers, limits, locale, logs, problems, requests
from webapp.web import checks as machine_checks
from webapp.web.api import binding

log = logging.getLogger(__name__)

MAX_FORM_PARTS = 200
MAX_FORM_MEMORY_BYTES = 1_000_000


def create_app(settings: Settings | None = None) -> Flask:
    """Build an application from the settings, by default those of the environment; starts nothing."""
    settings = with_own_secrets(settings or load_settings())
    app = Flask("webapp", static_folder=None, instance_path=str(settings.instance_path))
    app.extensions["settings"] = settings
    _configure(app, settings)
    logs.configure(settings)
    metrics.init_app(app, settings)
    _bind_database(app, settings)
    _bind_kit(app, settings)
    for feature in (
        audit,
        runtime_settings,
        accounts,
        admins,
        announcements,
        llm,
        chat,
        prompts,
        backup,
        site,
        dashboard,
        api,
    ):
        feature.init_app(app)
    background.init_app(app, settings)
    doctor.init_app(app)
    for unit in (database_checks, task_checks, model_checks, mail_checks, machine_checks, bus_checks):
        unit.init_app(app)
    return app


def start_background(app: Flask) -> None:
    """Start what runs beside the requests of this process: the journal of live answers and scheduled work."""
    bus.start(app)
    metrics.start(app)
    with app.app_context():
        llm.start()
        chat.start(app)
    background.start(app)


def setup_token(app: Flask) -> str | None:
    """Return a new token for the link to the first administrator; None where there is one, or no database yet."""
    with app.app_context():
        try:
            return admin_service.new_setup_token()
        except SQLAlchemyError as error:
            log.warning("no set-up link", extra={"error": type(error).__name__})
            return None
        finally:
            db.session.remove()


def begin_shutdown(app: Flask) -> None:
    """Tell open streams to reconnect elsewhere, report not ready, and start nothing new."""
    app.extensions["draining"] = True
    with app.app_context():
        chat.stop(app)
    background.stop(app)


def finish_shutdown(app: Flask, seconds: float) -> None:
    """Give the answers under way so long to end, and commit everything; the process may exit then."""
    with app.app_context():
        llm.finish(seconds)
        chat.finish(app, seconds)
    bus.stop(app)


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        TESTING=settings.profile == "test",
        PREFERRED_URL_SCHEME="https" if settings.https else "http",
        TRUSTED_HOSTS=settings.hosts,
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_MEMORY_BYTES,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        SESSION_COOKIE_NAME="__Host-session" if settings.https else "session",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        PERMANENT_SESSION_LIFETIME=settings.session_absolute_minutes * 60,
        WTF_CSRF_TIME_LIMIT=None,  # a chat may stay open for days; the token ends with the session
        SCHEDULER_API_ENABLED=False,
        SCHEDULER_JOB_DEFAULTS={"coalesce": True, "max_instances": 1, "misfire_grace_time": 60},
        SCHEDULER_TIMEZONE="UTC",
        SQLALCHEMY_DATABASE_URI=settings.database_uri,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_uri),
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    if settings.proxy_count:
        hops = settings.proxy_count
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_port=hops, x_prefix=0
        )


def _bind_database(app: Flask, settings: Settings) -> None:
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    transactions.init_app(app)
    waiting.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"), compare_type=True, render_as_batch=True)
    with app.app_context():
        init_engine(app, db.engine)


def _bind_kit(app: Flask, settings: Settings) -> None:
    bus.init_app(app, settings)
    requests.init_app(app, settings)
    headers.init_app(app, settings)
    locale.init_app(app, settings)
    problems.init_app(app)
    limits.init_app(app, settings)
    csrf.init_app(app)
    login_manager.init_app(app)
    senders.init_app(app, settings)
    delivery.init_app(app)
    assets.init_app(app)
    filters.init_app(app)
    departures.init_app(app)
    binding.init_app(app, settings)
    guards.init_app(app)
