"""Login sessions: a random token in the cookie, its hash in a row, and the row decides."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import secrets
from collections.abc import Callable, Collection
from typing import Any, Final, cast

from flask import g
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, CursorResult, and_, delete, or_, select, update
from sqlalchemy.exc import DBAPIError

from webapp import bus
from webapp.config import current_settings
from webapp.database import after_commit, db, write_transaction
from webapp.errors import NotFound
from webapp.extensions import login_manager
from webapp.identity import rules
from webapp.identity.devices import Client
from webapp.identity.models import LoginSession
from webapp.identity.rules import Realm
from webapp.lib import clock

log = logging.getLogger(__name__)

_loaders: Final[dict[str, Callable[[int], Any]]] = {}
_seen: Final[dict[str, Callable[[int], None]]] = {}


def register_realm(
    realm: Realm, loader: Callable[[int], Any], *, seen: Callable[[int], None] = lambda _subject_id: None
) -> None:
    """Tell how the person of a session is loaded: by id, None when the person may not be signed in.

    `seen` is told, inside a write transaction, of each person who signs in or is active, about once a minute.
    """
    _loaders[realm.value] = loader
    _seen[realm.value] = seen


def begin(realm: Realm, subject_id: int, *, client: Client, keep: bool) -> str:
    """Add a session inside the caller's transaction and return its token, which is stored nowhere else."""
    now, token = clock.utc_now(), secrets.token_urlsafe(32)
    if client.program:
        token = rules.LOGIN_TOKEN_PREFIX + token
    life = _limits(realm)[1]
    db.session.add(
        LoginSession(
            token_hash=_hash(token),
            realm=realm.value,
            subject_id=subject_id,
            user_agent=client.user_agent[: rules.USER_AGENT_LENGTH],
            address=client.address,
            last_seen_at=now,
            reauthenticated_at=now,
            expires_at=now + (life if keep else min(life, rules.SESSION_WITHOUT_KEEPING)),
        )
    )
    _seen[realm.value](subject_id)
    return token


def end_all(realm: Realm, subject_id: int, *, but: int | None = None) -> int:
    """End the sessions of a person, all or all but one, inside the caller's transaction; returns how many."""
    query = update(LoginSession).where(
        LoginSession.realm == realm.value,
        LoginSession.subject_id == subject_id,
        LoginSession.revoked_at.is_(None),
    )
    if but is not None:
        query = query.where(LoginSession.id != but)
    ended = db.session.execute(query.values(revoked_at=clock.utc_now()))
    after_commit(_tell)
    return cast("CursorResult[Any]", ended).rowcount


@write_transaction
def end(session_id: int) -> None:
    """End one session."""
    db.session.execute(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.revoked_at.is_(None))
        .values(revoked_at=clock.utc_now())
    )
    after_commit(_tell)


def end_one(realm: Realm, subject_id: int, public_id: str) -> LoginSession:
    """End one of a person's sessions inside the caller's transaction; raises NotFound for another's."""
    row = db.session.scalar(
        select(LoginSession).where(
            LoginSession.public_id == public_id,
            LoginSession.realm == realm.value,
            LoginSession.subject_id == subject_id,
            _holds(),
        )
    )
    if row is None:
        raise NotFound(_("This device is signed out already."))
    row.revoked_at = clock.utc_now()
    after_commit(_tell)
    return row


def of(realm: Realm, subject_id: int) -> list[LoginSession]:
    """Return the sessions of a person that hold, the last used first."""
    query = select(LoginSession).where(
        LoginSession.realm == realm.value, LoginSession.subject_id == subject_id, _holds()
    )
    newest = query.order_by(LoginSession.last_seen_at.desc(), LoginSession.id.desc())
    return list(db.session.scalars(newest.limit(rules.SESSIONS_SHOWN)))


@write_transaction
def reauthenticate(session_id: int) -> str:
    """Note that the person proved again who they are; returns the session's new token, the old one is dead."""
    token = secrets.token_urlsafe(32)
    db.session.execute(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.revoked_at.is_(None))
        .values(token_hash=_hash(token), reauthenticated_at=clock.utc_now())
    )
    return token


def person(realm: Realm, subject_id: int) -> Any:
    """Return the person of that number, None for one who may not be signed in."""
    return _loaders[realm.value](subject_id)


def current_session_id() -> int | None:
    """Return the id of the session by which the request at hand is signed in."""
    session_id: int | None = g.get("login_session_id")
    return session_id


def live_among(session_ids: Collection[int]) -> set[int]:
    """Return those of the sessions that still hold; one query, for open streams."""
    query = select(LoginSession).where(LoginSession.id.in_(session_ids), _holds())
    sessions = db.session.scalars(query).all()
    return {each.id for each in sessions if _loaders[each.realm](each.subject_id) is not None}


@write_transaction
def purge() -> None:
    """Delete sessions that ended long ago."""
    db.session.execute(
        delete(LoginSession).where(LoginSession.expires_at < clock.utc_now() - rules.SESSIONS_KEPT)
    )


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load_user(token: str) -> Any:
    """Return the user whom the token signs in, or None; called by Flask-Login once a request."""
    user, session_id = (None, None) if is_login_token(token) else load(Realm.USER, token)
    if user is not None:
        g.login_session_id = session_id
        user.session_token = token
    return user


def is_login_token(token: str) -> bool:
    """Tell whether the token is one of those that programs sign in with, rather than one of a cookie."""
    return token.startswith(rules.LOGIN_TOKEN_PREFIX)


def load(realm: Realm, token: str) -> tuple[Any, int | None]:
    """Return the person whom the token signs in to a realm, and the session's id; (None, None) for nobody.

    Also notes for `webapp.web.guards.fresh` whether it is not long since the person proved who they are.
    """
    session = db.session.scalar(
        select(LoginSession).where(
            LoginSession.token_hash == _hash(token), LoginSession.realm == realm.value, _holds()
        )
    )
    if session is None:
        return None, None
    subject_id, session_id = session.subject_id, session.id
    since = session.reauthenticated_at
    is_fresh = since is not None and clock.utc_now() - since < rules.FRESH
    g.fresh_realms = {*g.get("fresh_realms", ()), realm.value} if is_fresh else g.get("fresh_realms", ())
    if (clock.utc_now() - session.last_seen_at).total_seconds() > rules.SESSION_TOUCH_SECONDS:
        _touch_if_possible(session_id, realm, subject_id)
    who = person(realm, subject_id)
    return (who, session_id) if who is not None else (None, None)


def of_token(realm: Realm, token: str) -> LoginSession:
    """Return the session of a token that was given out a moment ago."""
    query = select(LoginSession).where(
        LoginSession.token_hash == _hash(token), LoginSession.realm == realm.value
    )
    return db.session.scalars(query).one()


def _touch_if_possible(session_id: int, realm: Realm, subject_id: int) -> None:
    """Note that the session is in use; a database that takes no writes signs nobody out."""
    try:
        _touch(session_id, realm, subject_id)
    except DBAPIError as error:
        log.warning("session not touched", extra={"error": type(error).__name__})


@write_transaction
def _touch(session_id: int, realm: Realm, subject_id: int) -> None:
    db.session.execute(
        update(LoginSession).where(LoginSession.id == session_id).values(last_seen_at=clock.utc_now())
    )
    _seen[realm.value](subject_id)


def _tell() -> None:
    """Let the processes that hold streams of those who were signed out look at once."""
    bus.hints().tell(rules.SESSIONS_TOPIC)


def _holds() -> ColumnElement[bool]:
    now = clock.utc_now()
    in_use = [
        and_(LoginSession.realm == realm.value, LoginSession.last_seen_at > now - _limits(realm)[0])
        for realm in Realm
    ]
    return and_(LoginSession.revoked_at.is_(None), LoginSession.expires_at > now, or_(*in_use))


def _limits(realm: Realm) -> tuple[dt.timedelta, dt.timedelta]:
    """Return after how long without use, and after how long in any case, a session of the realm ends."""
    settings = current_settings()
    if realm is Realm.ADMIN:
        idle, absolute = settings.admin_session_idle_minutes, settings.admin_session_absolute_minutes
    else:
        idle, absolute = settings.session_idle_minutes, settings.session_absolute_minutes
    return dt.timedelta(minutes=idle), dt.timedelta(minutes=absolute)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
