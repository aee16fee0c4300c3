"""The reader's language, zone and theme: by account, then by browser, then by setting."""

from __future__ import annotations

from typing import Any, Final

from babel import Locale
from flask import Flask, g, has_request_context, request
from flask_babel import Domain, get_locale
from flask_login import current_user

from webapp.config import Settings, current_settings
from webapp.extensions import babel
from webapp.web.catalogues import compiled_folder
from webapp.web.requests import current_request_id, in_admin_area

LANGUAGES: Final = {"en": "English", "zh_CN": "中文"}
HTML_LANGUAGES: Final = {"en": "en", "zh_CN": "zh-CN"}
_PARSED: Final = {name: Locale.parse(name) for name in LANGUAGES}
THEMES: Final = ("auto", "light", "dark")
LANGUAGE_COOKIE: Final = "language"
THEME_COOKIE: Final = "theme"


def init_app(app: Flask, settings: Settings) -> None:
    """Bind Babel and hand the templates what they need to know of the reader."""
    app.config.update(
        BABEL_DEFAULT_LOCALE=settings.default_locale,
        BABEL_DEFAULT_TIMEZONE=settings.default_timezone,
        BABEL_TRANSLATION_DIRECTORIES=compiled_folder(settings),
    )
    babel.domain_instance = Catalogues()
    babel.init_app(app, locale_selector=_choose_parsed_locale, timezone_selector=choose_timezone)
    app.context_processor(_template_context)


class Catalogues(Domain):  # type: ignore[misc]
    """The translations, found by the reader's locale in one step: a page asks for them many times."""

    def __init__(self) -> None:
        super().__init__()
        self._of_parsed: dict[int, Any] = {}

    def get_translations(self) -> Any:
        """Return the translations for the request at hand."""
        locale = get_locale()
        found = self._of_parsed.get(id(locale))
        if found is None:
            found = super().get_translations()
            if any(locale is each for each in _PARSED.values()):
                self._of_parsed[id(locale)] = found
        return found


def choose_locale() -> str:
    """Return the language for the request at hand."""
    if not has_request_context():
        return current_settings().default_locale
    of_account = _reader_value("locale")
    if of_account in LANGUAGES:
        return str(of_account)
    of_cookie = request.cookies.get(LANGUAGE_COOKIE)
    if of_cookie in LANGUAGES:
        return of_cookie
    best = request.accept_languages.best_match(["en", "zh-CN", "zh", "zh-Hans"])
    if best is None:
        return current_settings().default_locale
    return "zh_CN" if best.startswith("zh") else "en"


def _choose_parsed_locale() -> Locale:
    return _PARSED[choose_locale()]


def choose_timezone() -> str:
    """Return the reader's zone."""
    return str(_reader_value("timezone") or current_settings().default_timezone)


def choose_theme() -> str:
    """Return auto, light or dark."""
    theme = request.cookies.get(THEME_COOKIE, "auto") if has_request_context() else "auto"
    return theme if theme in THEMES else "auto"


def _reader_value(name: str) -> Any:
    """Return a preference of the signed-in reader; never goes to the database for an error page."""
    if not has_request_context() or g.get("degraded"):
        return None
    if in_admin_area():
        return getattr(g.get("admin"), name, None)
    return getattr(current_user, name, None) if current_user.is_authenticated else None


def _template_context() -> dict[str, Any]:
    chosen = choose_locale()
    return {
        "locale": chosen,
        "lang": HTML_LANGUAGES[chosen],
        "theme": choose_theme(),
        "site_name": current_settings().site_name,
        "request_id": current_request_id(),
        "languages": LANGUAGES,
    }
