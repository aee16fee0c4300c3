"""The one guard in front of the dashboard: an administrator's session, and the permission the view names."""

from __future__ import annotations

from functools import partial
from typing import Final

from flask import current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.admins import service as admins
from webapp.errors import NotAllowed
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.web.cookies import ADMIN_TOKEN
from webapp.web.guards import ANY_ADMIN, ask_to_sign_in, is_public, permission_of
from webapp.web.requests import wants_page

SECOND_FACTOR_ENDPOINT: Final = "dashboard.second_factor.index"
# What somebody can do who has to set up two-step sign-in first.
BEFORE_SECOND_FACTOR: Final = frozenset(
    {
        SECOND_FACTOR_ENDPOINT,
        "dashboard.second_factor.begin",
        "dashboard.second_factor.turn_on",
        "dashboard.account.language",
        "dashboard.confirming.confirm",
        "dashboard.signing.logout",
    }
)
SIGN_IN_ENDPOINT: Final = "dashboard.signing.login"


def check() -> ResponseReturnValue | None:
    """Let pass who may, send strangers to the sign-in page, refuse the rest."""
    token = session.get(ADMIN_TOKEN)
    g.admin, g.admin_session_id = identity.load_session(Realm.ADMIN, token) if token else (None, None)
    view = current_app.view_functions[request.endpoint or ""]
    if is_public(view):
        return None
    if g.admin is None:
        return ask_to_sign_in(SIGN_IN_ENDPOINT)
    if request.endpoint not in BEFORE_SECOND_FACTOR and admins.needs_second_factor(g.admin):
        return _ask_for_second_factor()
    permission = permission_of(view)
    if permission is None or (permission != ANY_ADMIN and not g.admin.may(permission)):
        raise NotAllowed(_("Your role does not allow this. A superadmin can change your role."))
    g.admin_still_allowed = partial(_still_allowed, g.admin_session_id, g.admin.public_id, permission)
    return None


def _ask_for_second_factor() -> ResponseReturnValue:
    """Lead to the page where it is set up, and from there on to where the administrator wanted to go."""
    if wants_page() and request.method in {"GET", "HEAD"}:
        return redirect(url_for(SECOND_FACTOR_ENDPOINT, next=request.full_path.rstrip("?")))
    raise NotAllowed(_("Set up two-step sign-in first: administrators need it here."))


def _still_allowed(session_id: int, admin_id: str, permission: str) -> bool:
    """Tell whether a session still holds and its administrator still has the permission."""
    if session_id not in identity.live_among([session_id]):
        return False
    return permission == ANY_ADMIN or admins.get_admin(admin_id).may(permission)
