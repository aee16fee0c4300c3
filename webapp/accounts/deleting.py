"""Deleting an account: asked for by its owner, taken back within seven days, else erased for good by recurring work.

Erasing takes what features registered, all of identity, codes and mail of the address, the picture and the row; the
usage ledger keeps its figures without the person, and the audit log keeps the name.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, cast

from flask import Flask, current_app
from flask_babel import gettext as _
from sqlalchemy import Select, delete, select

from webapp.accounts import access, avatars, letters
from webapp.accounts.models import User
from webapp.accounts.rules import DELETION_GRACE, UserState
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.errors import Conflict
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.lib import clock
from webapp.mail import outbox

log = logging.getLogger(__name__)

Eraser = Callable[[User], None]
_ERASERS: Final = "erasers"


def register_eraser(app: Flask, eraser: Eraser) -> None:
    """Tell what else goes with a user, beyond rows that the database deletes by itself; called in the transaction."""
    app.extensions.setdefault(_ERASERS, []).append(eraser)


@write_transaction
def ask_deletion(user: User) -> None:
    """End all access, and let the account be erased after the days of grace unless it is taken back."""
    if user.state != UserState.ACTIVE.value:
        raise Conflict(_("This account is to be deleted already."), code="deleting")
    user.state, user.deletion_due_at = UserState.DELETING.value, clock.utc_now() + DELETION_GRACE
    user.pending_email = None
    access.end_all(user, actor=user)
    letters.queue_notice(user, "deletion_asked")
    after = {"due": user.deletion_due_at.isoformat()}
    audit.record(Event.USER_DELETION_ASKED, actor=user, target=user, after=after)


def erase_due() -> int:
    """Erase the accounts whose days of grace are over; returns how many. One that fails does not hold up the others."""
    erased = 0
    for user_id in db.session.scalars(_due_ids()).all():
        erased += erase(user_id)
    return erased


def erase(user_id: int) -> bool:
    """Erase one account for good if it is due; tells whether it was."""
    erased, avatar_id = _erase(user_id)
    avatars.delete_file(avatar_id)
    if erased:
        log.info("account erased")
    return erased


@write_transaction
def _erase(user_id: int) -> tuple[bool, str | None]:
    user = db.session.scalar(
        select(User).where(User.id == user_id, User.id.in_(_due_ids())).with_for_update()
    )
    if user is None:
        return False, None
    avatar_id, party = user.avatar_id, user.audit_party()
    for eraser in cast("list[Eraser]", current_app.extensions.get(_ERASERS, [])):
        eraser(user)
    identity.erase_subject(Realm.USER, user.id, user.email)
    outbox.erase_to(user.email)
    db.session.execute(delete(User).where(User.id == user.id))
    audit.record(Event.USER_DELETED, actor=audit.SYSTEM, target=party)
    return True, avatar_id


def _due_ids() -> Select[int]:
    return select(User.id).where(
        User.state == UserState.DELETING.value, User.deletion_due_at <= clock.utc_now()
    )
