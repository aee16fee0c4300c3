"""Who may reach a route: everybody signed in, unless a route says otherwise.

The guard stands in front of every view, so that a forgotten decorator closes a page instead of opening it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

from flask import Flask, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.errors import NotSignedIn
from webapp.web.requests import wants_page

P = ParamSpec("P")
R = TypeVar("R")

_PUBLIC: Final = "agent_tools_public"
SIGN_IN_ENDPOINT: Final = "accounts.login"


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view as reachable by anybody."""
    setattr(view, _PUBLIC, True)
    return view


def is_public(view: Callable[..., Any]) -> bool:
    """Tell whether anybody may reach the view."""
    return bool(getattr(view, _PUBLIC, False))


def init_app(app: Flask) -> None:
    """Put the guard in front of every view."""
    app.before_request(_guard)


def _guard() -> ResponseReturnValue | None:
    if request.endpoint is None or request.routing_exception is not None:
        return None  # answered by the handler of the routing error
    if is_public(current_app.view_functions[request.endpoint]) or current_user.is_authenticated:
        return None
    if wants_page() and request.method in {"GET", "HEAD"}:
        return redirect(url_for(SIGN_IN_ENDPOINT, next=request.full_path.rstrip("?")))
    raise NotSignedIn(_("You are signed out. Sign in and try again; what you typed is still on the page."))
