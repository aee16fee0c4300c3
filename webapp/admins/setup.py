"""The first administrator: made through a link that works once, for a day, and only while there is none."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from webapp.accounts import service as users
from webapp.admins import accounts, authority
from webapp.admins.models import Admin, SetupLink
from webapp.admins.permissions import SUPERADMIN
from webapp.admins.roles import ensure_built_in_roles, get_role
from webapp.admins.rules import SETUP_LINK_LIFE
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.errors import Conflict, NotFound
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.lib import clock

log = logging.getLogger(__name__)

_LINK_ID = 1


def new_setup_token() -> str | None:
    """Make the link's token, which is stored nowhere; the one before works no longer. None once there is an administrator."""
    if has_admins():
        return None
    ensure_built_in_roles()
    token = secrets.token_urlsafe(32)
    try:
        return token if _store(token) else None
    except IntegrityError:  # another process made the first one at the same moment
        return token if _store(token) else None


def has_admins() -> bool:
    """Tell whether there is an administrator, active or not."""
    return db.session.scalar(select(Admin.id).limit(1)) is not None


def check_setup_token(token: str) -> None:
    """Raise NotFound for a token that makes no administrator: wrong, used, or too old."""
    link = db.session.get(SetupLink, _LINK_ID)
    if not _works(link, token) or has_admins():
        raise _dead()


def set_up(
    *, token: str, username: str, email: str, password: str, client: identity.Client
) -> identity.Accepted:
    """Make the first administrator, a superadmin, with the link, and begin a session.

    Of several browsers that use the link at once one makes the administrator, and the others are told that it is used.
    """
    check_setup_token(token)
    mail_address, name = identity.checked_address(email), users.checked_username(username)
    accounts.check_password(password, mail_address, name)
    password_hash = identity.hashed_password(password)
    ensure_built_in_roles()
    accepted = _use(token, name, mail_address, password_hash, client)
    log.info("first administrator made")
    return accepted


@write_transaction
def _store(token: str) -> bool:
    link = db.session.get(SetupLink, _LINK_ID, with_for_update=True, populate_existing=True)
    if has_admins():
        return False
    if link is None:
        link = SetupLink(id=_LINK_ID)
        db.session.add(link)
    link.token_hash, link.expires_at, link.used_at = _hash(token), clock.utc_now() + SETUP_LINK_LIFE, None
    return True


@write_transaction
def _use(
    token: str, name: str, mail_address: str, password_hash: str, client: identity.Client
) -> identity.Accepted:
    authority.lock()
    link = db.session.get(SetupLink, _LINK_ID, with_for_update=True, populate_existing=True)
    if link is None or not _works(link, token):
        raise _dead()
    if db.session.scalar(select(func.count()).select_from(Admin)):
        raise Conflict(_("There is an administrator already. Sign in instead."), code="set_up_already")
    admin = accounts.new_admin(name, mail_address, password_hash, get_role(SUPERADMIN))
    admin.last_login_at = clock.utc_now()
    audit.record(
        Event.ADMIN_SET_UP, actor=admin, target=admin, after={"role": SUPERADMIN, "email": mail_address}
    )
    return identity.accept_attempt(identity.trusted_attempt(Realm.ADMIN, admin, client), keep=False)


def _works(link: SetupLink | None, token: str) -> bool:
    return (
        link is not None
        and link.used_at is None
        and link.expires_at > clock.utc_now()
        and hmac.compare_digest(link.token_hash, _hash(token))
    )


def _dead() -> NotFound:
    sentence = _(
        "This set-up link does not work: it is used, older than a day, or replaced by a newer one. "
        "The program prints a new one when it starts, and so does the command: flask admins setup-link"
    )
    return NotFound(sentence, code="setup_link_dead")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
