"""What has to wait after too many tries in vain: who sees it, and who may lift it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from webapp.accounts.models import User
from webapp.admins.models import Admin
from webapp.admins.permissions import Permission
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.errors import NotAllowed, NotFound
from webapp.identity import service as identity
from webapp.identity.models import Throttle
from webapp.identity.rules import Realm


@dataclass(frozen=True, slots=True)
class Lockout:
    """Something that must wait; `subject` is the account it is about, where there is one."""

    throttle: Throttle
    subject: User | Admin | None
    may_lift: bool


def in_force(actor: Admin) -> list[Lockout]:
    """Return what must wait now and the actor may know of, the longest wait first."""
    return [Lockout(each, _subject(each), _may_lift(actor, each)) for each in _visible(actor)]


def count(actor: Admin) -> int:
    """Return how much must wait now that the actor may know of."""
    return len(_visible(actor))


@write_transaction
def lift(lockout_id: str, *, actor: Admin) -> None:
    """Forget the tries in vain, so that nobody need wait for this one any longer."""
    row = identity.lift_lockout(lockout_id)
    if row is None:
        raise NotFound(_("This wait is over already."))
    if not _may_lift(actor, row):
        raise NotAllowed(_("Your role does not allow this. A superadmin can change your role."))
    target: Any = _subject(row) or audit.Party("address", name=row.address)
    event = Event.ADMIN_UNLOCKED if row.realm == Realm.ADMIN.value else Event.USER_UNLOCKED
    audit.record(event, actor=actor, target=target, before={"counted": row.kind, "tries": row.failures})


def _visible(actor: Admin) -> list[Throttle]:
    return identity.lockouts(None if actor.may(Permission.ADMINS_READ) else Realm.USER)


def _may_lift(actor: Admin, row: Throttle) -> bool:
    over_admins = row.realm == Realm.ADMIN.value
    return actor.may(Permission.USERS_CHANGE) and (not over_admins or actor.may(Permission.ADMINS_CHANGE))


def _subject(row: Throttle) -> User | Admin | None:
    if row.subject_id is None:
        return None
    if row.realm == Realm.ADMIN.value:
        return db.session.get(Admin, row.subject_id)
    return db.session.get(User, row.subject_id)
