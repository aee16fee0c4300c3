"""What people who run the program do with an account: suspend, restore, sign out, unlock, start a reset, invite.

`actor` is an administrator's row, or `audit.SYSTEM` on the command line. None of them sets or sees a password.
"""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from webapp.accounts import access, letters, names
from webapp.accounts.models import User
from webapp.accounts.rules import UserState
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.errors import Conflict, NotFound
from webapp.identity import service as identity
from webapp.identity.rules import INVITATION_LIFE, RESET_LINK_LIFE, LinkPurpose, Realm


def get_user(public_id: str) -> User:
    """Return a user by public id, in whatever state; raises NotFound."""
    user: User | None = db.session.scalar(select(User).where(User.public_id == public_id))
    if user is None:
        raise NotFound(_("There is no such user."))
    return user


def find_by_name(name: str) -> User | None:
    """Return a user by user name or e-mail address, in whatever state."""
    address, username = identity.canonical_address(name), names.canonical_username(name)
    found = select(User).where(or_(User.email_canonical == address, User.username_canonical == username))
    return db.session.scalar(found.limit(1))


@write_transaction
def suspend(user: User, *, actor: Any, reason: str = "") -> None:
    """Let nobody use the account any more: its sessions, open streams and tokens end at once."""
    if user.state == UserState.SUSPENDED.value:
        raise Conflict(_("This account is suspended already."), code="suspended")
    before, user.state, user.deletion_due_at = user.state, UserState.SUSPENDED.value, None
    access.end_all(user, actor=actor)
    after = {"state": user.state, "reason": reason}
    audit.record(Event.USER_SUSPENDED, actor=actor, target=user, before={"state": before}, after=after)


@write_transaction
def restore(user: User, *, actor: Any) -> None:
    """Let a suspended account be used again; whoever never had a password is invited still."""
    if user.state != UserState.SUSPENDED.value:
        raise Conflict(_("This account is not suspended."), code="not_suspended")
    user.state = (UserState.ACTIVE if user.last_login_at or user.password_hash else UserState.INVITED).value
    identity.lift_lockouts_of(Realm.USER, user.id)
    before, after = {"state": UserState.SUSPENDED.value}, {"state": user.state}
    audit.record(Event.USER_RESTORED, actor=actor, target=user, before=before, after=after)


@write_transaction
def end_sessions(user: User, *, actor: Any) -> int:
    """Sign the user out everywhere; returns on how many devices. Tokens stay."""
    ended = access.end_all(user, actor=actor, tokens=False)
    audit.record(Event.USER_SESSIONS_ENDED, actor=actor, target=user, after={"sessions": ended})
    return ended


@write_transaction
def unlock(user: User, *, actor: Any) -> None:
    """Forget failed sign-ins, so that the owner need not wait."""
    identity.lift_lockouts_of(Realm.USER, user.id)
    audit.record(Event.USER_UNLOCKED, actor=actor, target=user)


@write_transaction
def start_reset(user: User, *, actor: Any) -> None:
    """Mail the user a one-time link to set a new password, or to accept the invitation; older links die."""
    token, purpose = _issue_link(user, mailed=True)
    letters.queue_password_link(user, token, purpose)
    audit.record(Event.USER_RESET_STARTED, actor=actor, target=user, after={"by": "mail"})


@write_transaction
def reset_link(user: User, *, actor: Any) -> str:
    """Return a one-time link to set a new password, to be handed over where there is no mail; older links die."""
    token, _purpose = _issue_link(user, mailed=False)
    audit.record(Event.USER_RESET_STARTED, actor=actor, target=user, after={"by": "link"})
    return letters.address_of("accounts.password_link", token=token)


def invite(
    *,
    actor: Any,
    email: str,
    username: str,
    display_name: str = "",
    locale: str | None = None,
    mail: bool = True,
) -> User:
    """Add an account without a password and mail its owner a link to set one; raises Invalid or Conflict."""
    address, name = identity.checked_address(email), names.checked_username(username)
    shown = names.checked_display_name(display_name or name)
    try:
        return _invite(actor, address, name, shown, locale, mail=mail)
    except IntegrityError as error:
        raise names.taken_for_administrators(error) from None


@write_transaction
def _invite(actor: Any, address: str, name: str, shown: str, locale: str | None, *, mail: bool) -> User:
    user = User(
        email=address,
        email_canonical=identity.canonical_address(address),
        username=name,
        username_canonical=names.canonical_username(name),
        display_name=shown,
        password_hash="",
        locale=locale,
        state=UserState.INVITED.value,
    )
    db.session.add(user)
    db.session.flush()
    audit.record(Event.USER_INVITED, actor=actor, target=user, after={"email": address})
    if mail:
        token, purpose = _issue_link(user, mailed=True)
        letters.queue_password_link(user, token, purpose)
    return user


def _issue_link(user: User, *, mailed: bool) -> tuple[str, LinkPurpose]:
    if user.state in {UserState.SUSPENDED.value, UserState.DELETING.value}:
        raise Conflict(_("This account cannot be used at the moment. Restore it first."), code="not_active")
    invited = user.state == UserState.INVITED.value
    purpose = LinkPurpose.INVITATION if invited else LinkPurpose.RESET_PASSWORD
    identity.links.close_all(Realm.USER, user.id, LinkPurpose.INVITATION, LinkPurpose.RESET_PASSWORD)
    life = INVITATION_LIFE if invited else RESET_LINK_LIFE
    token = identity.links.issue(purpose, Realm.USER, user.id, life=life, data={"mailed": mailed})
    return token, purpose
