"""The one guard in front of the dashboard: an administrator's session, and the permission the view names."""

from __future__ import annotations

from typing import Final

from flask import current_app, g, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.errors import NotAllowed
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.web.cookies import ADMIN_TOKEN
from webapp.web.guards import ANY_ADMIN, ask_to_sign_in, is_public, permission_of

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
    permission = permission_of(view)
    if permission is None or (permission != ANY_ADMIN and not g.admin.may(permission)):
        raise NotAllowed(_("Your role does not allow this. A superadmin can change your role."))
    return None
