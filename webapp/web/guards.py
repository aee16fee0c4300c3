"""Who may reach a route: every user who is signed in, unless the route says otherwise.

The guard stands in front of every view, so that a forgotten decorator closes a page instead of opening it. Views
below `/admin` belong to another realm: the dashboard's own guard stands before them, and lets nobody pass to a view
that does not name the permission it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import HTTPException
from werkzeug.local import LocalProxy

from webapp.errors import NotAllowed, NotFound, NotSignedIn
from webapp.web.redirects import own_referrer
from webapp.web.requests import in_admin_area, in_api, wants_page

P = ParamSpec("P")
R = TypeVar("R")

_PUBLIC: Final = "agent_tools_public"
_PERMISSION: Final = "agent_tools_permission"
API_CONTRACT: Final = "agent_tools_contract"
ANY_ADMIN: Final = ""  # the permission that every administrator has
SIGN_IN_ENDPOINT: Final = "accounts.login"
CONFIRM_ENDPOINT: Final = "accounts.confirm"
ADMIN_CONFIRM_ENDPOINT: Final = "dashboard.confirming.confirm"

# The administrator who is signed in; there is one in every view that `needs` stands on.
current_admin: Any = LocalProxy(lambda: g.admin)


def admin_session_id() -> int:
    """Return the id of the session by which the administrator of the request at hand is signed in."""
    session_id: int = g.admin_session_id
    return session_id


def still_allowed() -> Callable[[], bool]:
    """Return what tells, long after the request at hand, whether its administrator may still see what the view shows.

    For streams: it needs an application context, and reads the session and the permission anew.
    """
    check: Callable[[], bool] = g.admin_still_allowed
    return check


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view as reachable by anybody."""
    setattr(view, _PUBLIC, True)
    return view


def needs(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a view of the dashboard as reachable by administrators who have a permission."""

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        setattr(view, _PERMISSION, str(permission))
        return view

    return mark


def fresh(view: Callable[P, R]) -> Callable[P, R | ResponseReturnValue]:
    """Let a view run only soon after the person proved who they are; others are led to a page that asks for it.

    From there they come back to the page they were on. What they sent is not carried out and not sent again: they
    are told so and press the button once more. Works for users and below `/admin`; stands below `needs`.
    """

    @wraps(view)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R | ResponseReturnValue:
        return view(*args, **kwargs) if is_fresh() else _ask_to_confirm()

    return inside


def is_fresh() -> bool:
    """Tell whether the person at hand proved who they are a short time ago."""
    return ("admin" if in_admin_area() else "user") in g.get("fresh_realms", ())


def is_public(view: Callable[..., Any]) -> bool:
    """Tell whether anybody may reach the view."""
    return bool(getattr(view, _PUBLIC, False))


def is_api_route(view: Callable[..., Any]) -> bool:
    """Tell whether the view has the contract of an API route, and with it a guard of its own."""
    return hasattr(view, API_CONTRACT)


def permission_of(view: Callable[..., Any]) -> str | None:
    """Return the permission a view needs, None where it names none."""
    return cast("str | None", getattr(view, _PERMISSION, None))


def init_app(app: Flask) -> None:
    """Put the guard in front of every view."""
    app.before_request(_guard)


def ask_to_sign_in(endpoint: str) -> ResponseReturnValue:
    """Lead a stranger who wants a page to the sign-in page; raises NotSignedIn for anything else."""
    if wants_page() and request.method in {"GET", "HEAD"}:
        return redirect(url_for(endpoint, next=request.full_path.rstrip("?")))
    raise NotSignedIn(_("You are signed out. Sign in and try again; what you typed is still on the page."))


def _ask_to_confirm() -> ResponseReturnValue:
    asked = _("Confirm first that it is you.")
    if not wants_page():
        raise NotAllowed(asked, code="confirmation_needed")
    back = request.full_path.rstrip("?")
    if request.method not in {"GET", "HEAD"}:
        back = _page_before()
        asked = _("Confirm first that it is you, then press the button again. Nothing has been done yet.")
    flash(asked, "info")
    endpoint = ADMIN_CONFIRM_ENDPOINT if in_admin_area() else CONFIRM_ENDPOINT
    return redirect(url_for(endpoint, next=back), 303)


def _page_before() -> str:
    """Return the page a form was sent from, else the start page: some addresses only take what is sent to them."""
    home = url_for("dashboard.overview.index") if in_admin_area() else url_for("site.home")
    back = own_referrer(home)
    try:
        current_app.create_url_adapter(request).match(urlsplit(back).path, method="GET")  # type: ignore[union-attr]
    except HTTPException:
        return home
    return back


def _guard() -> ResponseReturnValue | None:
    if request.endpoint is None or request.routing_exception is not None:
        return None  # answered by the handler of the routing error
    view = current_app.view_functions[request.endpoint]
    if in_api():
        if is_api_route(view):
            return None  # its own guard stands before it
        raise NotFound(
            _("There is nothing here.")
        )  # a page that strayed below the API: no cookie counts there
    if in_admin_area() or is_public(view):
        return None
    return None if current_user.is_authenticated else ask_to_sign_in(SIGN_IN_ENDPOINT)
