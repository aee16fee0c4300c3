"""Pages for everybody: the start page, privacy, and the switches of language and theme."""

from __future__ import annotations

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.accounts import service as accounts
from webapp.config import current_settings
from webapp.errors import Invalid
from webapp.web.guards import public
from webapp.web.locale import LANGUAGE_COOKIE, LANGUAGES, THEME_COOKIE, THEMES
from webapp.web.redirects import safe_next

blueprint = Blueprint("site", __name__, template_folder="templates")

PREFERENCE_SECONDS = 365 * 24 * 3600


@blueprint.get("/")
@public
def home() -> ResponseReturnValue:
    """Lead people who are signed in to their chats, and tell others what this is."""
    if current_user.is_authenticated:
        return redirect(url_for("chat.index"))
    return render_template("site/home.html", registration_open=current_settings().registration_open)


@blueprint.get("/privacy")
@public
def privacy() -> ResponseReturnValue:
    """Say what is stored, for how long, and who sees it."""
    return render_template("site/privacy.html", settings=current_settings())


@blueprint.post("/preferences/language")
@public
def set_language() -> ResponseReturnValue:
    """Switch the language, on the account too when somebody is signed in."""
    language = request.form.get("language", "")
    if language not in LANGUAGES:
        raise Invalid(_("Choose one of the languages offered."), field="language")
    if current_user.is_authenticated:
        accounts.set_locale(current_user, language)
    return _remember(LANGUAGE_COOKIE, language)


@blueprint.post("/preferences/theme")
@public
def set_theme() -> ResponseReturnValue:
    """Switch between the light theme, the dark one, and that of the device."""
    theme = request.form.get("theme", "")
    if theme not in THEMES:
        raise Invalid(_("Choose one of the themes offered."), field="theme")
    return _remember(THEME_COOKIE, theme)


def _remember(name: str, value: str) -> ResponseReturnValue:
    response = make_response(redirect(safe_next(url_for("site.home")), 303))
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(name, value, PREFERENCE_SECONDS, secure=secure, httponly=True, samesite="Lax")
    return response
