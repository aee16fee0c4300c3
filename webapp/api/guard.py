"""The one guard in front of every API route: a bearer token, and what the route's audience asks of it."""

from __future__ import annotations

from functools import partial
from typing import Final

from flask import g, request
from flask_babel import gettext as _

from webapp.admins import service as admins
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.errors import NotAllowed, NotSignedIn
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.web.api import Audience, Caller, Contract
from webapp.web.requests import client_address

_TOKEN_MAX_LENGTH: Final = 200


def admit(contract: Contract) -> None:
    """Let pass who may call the route, and note who it is; raises NotSignedIn or NotAllowed."""
    audience = contract.audience
    if not audience.realm:
        return
    raw = _bearer()
    found = _by_login_token(raw) if identity.is_login_token(raw) else _by_api_token(raw, audience)
    if found is None:
        raise NotSignedIn(
            _("This token does not work here: it may be revoked, expired or mistyped."), code="token_invalid"
        )
    _note(found)
    if found.realm != audience.realm:
        raise _denied(found, _("This is for %(whom)s.", whom=_whom(audience)), "wrong_realm")
    if audience.realm == "admin":
        _check_administrator(found, audience)


def _bearer() -> str:
    """Return the token of the request, which is taken from nowhere else than its header (I2)."""
    kind, _space, raw = request.headers.get("Authorization", "").partition(" ")
    raw = raw.strip()
    if kind.lower() != "bearer" or not raw or len(raw) > _TOKEN_MAX_LENGTH:
        raise NotSignedIn(_("Send a token: Authorization: Bearer at_…"), code="token_missing")
    return raw


def _by_login_token(raw: str) -> Caller | None:
    for realm in Realm:
        person, session_id = identity.load_session(realm, raw)
        if person is not None and session_id is not None:
            return Caller(
                realm=realm.value,
                person=person,
                is_fresh=realm.value in g.get("fresh_realms", ()),
                still_holds=partial(_session_holds, session_id),
                prove=partial(identity.prove, realm, person, session_id),
                session_id=session_id,
            )
    return None


def _by_api_token(raw: str, audience: Audience) -> Caller | None:
    use = identity.find_token(raw, client_address())
    if use is None:
        return None
    found = Caller(
        realm=Realm.USER.value,
        person=use.person,
        is_fresh=False,
        still_holds=partial(_token_holds, use.token_id),
        prove=_cannot_prove,
        token_id=use.token_id,
    )
    _note(found)
    if not audience.scope:
        sentence = _("This needs a login token: sign in with POST /api/user/login.")
        raise _denied(found, sentence, "login_token_needed")
    if audience.scope not in use.scopes:
        sentence = _("The token lacks the scope %(scope)s.", scope=audience.scope)
        raise _denied(found, sentence, "scope_missing")
    return found


def _check_administrator(found: Caller, audience: Audience) -> None:
    admin = found.person
    if not audience.unfinished and admins.needs_second_factor(admin):
        sentence = _("Set up two-step sign-in first: administrators need it here.")
        raise NotAllowed(sentence, code="second_factor_needed")
    if audience.permission and not admin.may(audience.permission):
        sentence = _("Your role does not allow this. A superadmin can change your role.")
        raise _denied(found, sentence, "permission_missing", permission=audience.permission)


def _note(found: Caller) -> None:
    """Note who calls where limits, languages and the log look for it."""
    g.api_caller = found
    if found.realm == Realm.ADMIN.value:
        g.admin = found.person
    else:
        g._login_user = found.person  # noqa: SLF001


def _denied(found: Caller, sentence: str, code: str, *, permission: str = "none") -> NotAllowed:
    if found.realm == Realm.ADMIN.value:
        audit.record_alone(Event.ACCESS_DENIED, actor=found.person, after={"permission": permission})
    return NotAllowed(sentence, code=code)


def _whom(audience: Audience) -> str:
    return str(_("administrators") if audience.realm == Realm.ADMIN.value else _("users"))


def _session_holds(session_id: int) -> bool:
    return session_id in identity.live_among([session_id])


def _token_holds(token_id: int) -> bool:
    return token_id in identity.live_tokens_among([token_id])


def _cannot_prove(_proof: str) -> None:
    raise NotAllowed(
        _("This needs a login token: sign in with POST /api/user/login."), code="login_token_needed"
    )
