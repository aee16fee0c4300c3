"""How a refusal or failure reaches the person: one handler, as a page or as an envelope."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_limiter.errors import RateLimitExceeded
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, SecurityError

from webapp.database import db, release_session
from webapp.errors import AppError
from webapp.web.requests import current_request_id, in_api, wants_page

log = logging.getLogger(__name__)

UNAVAILABLE_RETRY_SECONDS = 5
_FORMATS: Final = "problem_formats"


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, in words: the form in which pages and envelopes are told."""

    status: int
    code: str
    title: str
    sentence: str
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    retry_after_seconds: int | None = None

    @property
    def actions(self) -> list[tuple[str, str]]:
        """Return what the person can do next, as (label, address)."""
        home = (_("Go to the start page"), url_for("site.home"))
        if request.method == "GET" and self.status in {429, 500, 503}:
            return [(_("Try again"), request.full_path.rstrip("?")), home]
        if self.status == 401:
            return [(_("Sign in"), url_for("accounts.login")), home]
        return [home]


def init_app(app: Flask) -> None:
    """Answer every exception in the same form."""
    app.register_error_handler(AppError, _on_refusal)
    app.register_error_handler(HTTPException, _on_http)
    app.register_error_handler(DBAPIError, _on_database)
    app.register_error_handler(PoolTimeout, _on_database)
    app.register_error_handler(Exception, _on_failure)


def envelope(data: Any = None, *, status: int = 200, message: str = "Success") -> Response:
    """Return the envelope all programs get; `code` is the HTTP status as a string."""
    response = jsonify({"code": str(status), "message": message, "data": data})
    response.status_code = status
    return response


def in_envelope(problem: Problem) -> Response:
    """Return the problem as programs get it: a stable reason, and the sentences of each field."""
    data: dict[str, Any] = {"reason": problem.code, "request_id": current_request_id()}
    if problem.errors:
        data["errors"] = {name: list(sentences) for name, sentences in problem.errors.items()}
    return envelope(data, status=problem.status, message=problem.sentence)


def register_format(app: Flask, prefix: str, form: Callable[[Problem], Response]) -> None:
    """Tell how problems are told below a prefix of the address where programs expect another form."""
    app.extensions.setdefault(_FORMATS, {})[prefix] = form


def answer(problem: Problem, *, template: str = "errors/page.html") -> Response:
    """Return the problem as a page or as an envelope, whichever the request asked for."""
    if wants_page():
        response = make_response(render_template(template, problem=problem), problem.status)
    else:
        response = _format()(problem)
    if problem.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(problem.retry_after_seconds)
    return response


def of_refusal(error: AppError) -> Problem:
    """Return what a refusal tells."""
    title = _titles().get(error.status, _("This did not work"))
    return Problem(error.status, error.code, title, error.sentence, error.errors, error.retry_after_seconds)


def _on_refusal(error: AppError) -> Response:
    return answer(of_refusal(error))


def _on_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    if isinstance(error, SecurityError) and not in_api():  # a host that is not ours: no address can be named
        return make_response(
            "This host name is not served here.\n", 400, {"Content-Type": "text/plain; charset=utf-8"}
        )
    retry_after: int | None = None
    code, sentence = _http_words(status)
    if isinstance(error, CSRFError):
        code = "csrf"
        sentence = _(
            "This page was open for too long or came from elsewhere. Go back, reload it and try again."
        )
    if isinstance(error, RateLimitExceeded):
        retry_after = max(1, int(error.limit.limit.get_expiry()) if error.limit else 60)
        sentence = _("Too many tries. Try again in %(minutes)s minutes.", minutes=-(-retry_after // 60))
    response = answer(Problem(status, code, _titles().get(status, error.name), sentence, {}, retry_after))
    for name, value in error.get_headers(None):
        if name == "Allow":
            response.headers[name] = value
    return response


def _on_database(error: Exception) -> Response:
    log.error("database unavailable", extra={"error": type(error).__name__}, exc_info=error)
    _leave_database_alone()
    sentence = _(
        "The database does not answer at the moment. Your last step is not saved; try again shortly."
    )
    return answer(
        Problem(503, "database_unavailable", _titles()[503], sentence, {}, UNAVAILABLE_RETRY_SECONDS)
    )


def _on_failure(error: Exception) -> Response:
    log.error("unexpected failure", exc_info=error)
    _leave_database_alone()
    sentence = _("Something broke on our side. Your last step may not be saved; everything before it is.")
    return answer(Problem(500, "internal", _titles()[500], sentence))


def _format() -> Callable[[Problem], Response]:
    formats: dict[str, Callable[[Problem], Response]] = current_app.extensions.get(_FORMATS, {})
    return next((form for prefix, form in formats.items() if request.path.startswith(prefix)), in_envelope)


def _leave_database_alone() -> None:
    """Make sure that the error page itself needs no database."""
    g.degraded = True
    g._login_user = AnonymousUserMixin()  # noqa: SLF001
    try:
        db.session.rollback()
    except DBAPIError:
        release_session()


def _titles() -> dict[int, str]:
    return {
        400: _("This request cannot be read"),
        401: _("You are not signed in"),
        403: _("You may not do this"),
        404: _("There is nothing here"),
        405: _("This cannot be done here"),
        409: _("Something changed meanwhile"),
        413: _("This is too large"),
        422: _("Something in it does not fit"),
        429: _("Too many tries"),
        500: _("Something broke on our side"),
        503: _("Not available at the moment"),
    }


def _http_words(status: int) -> tuple[str, str]:
    return {
        400: ("bad_request", _("The request was incomplete or damaged. Go back and try again.")),
        401: ("not_signed_in", _("Sign in to see this page.")),
        403: ("not_allowed", _("Your account has no access to this page.")),
        404: ("not_found", _("The address may be mistyped, or what was here was deleted.")),
        405: ("method_not_allowed", _("This address does not accept that kind of request.")),
        413: ("too_large", _("What you sent is larger than this program accepts. Nothing was saved.")),
        414: ("too_large", _("What you sent is larger than this program accepts. Nothing was saved.")),
        415: ("unsupported_media_type", _("This kind of content is not accepted here.")),
        429: ("too_many", _("Too many requests. Wait a moment and try again.")),
        503: ("unavailable", _("The program is busy or restarting. Try again shortly.")),
    }.get(status, ("refused", _("The request could not be carried out.")))
