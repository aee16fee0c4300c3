"""One act on many users: looked at beforehand, then done one by one, each with a result of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import select

from webapp.accounts import states
from webapp.accounts.administration.filters import UserFilter
from webapp.accounts.administration.listing import ids_of, matching_ids
from webapp.accounts.administration.sources import busy_among
from webapp.accounts.models import User
from webapp.accounts.rules import UserState
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.errors import AppError, Conflict, Invalid

BULK_MAX: Final = 500
AT_ONCE: Final = 20  # so many share a transaction: other writers wait for one of them, not for all
NAMES_SHOWN: Final = 50
REASON_MAX_LENGTH: Final = 300


class Act(StrEnum):
    """What can be done with many users at once."""

    END_SESSIONS = "end_sessions"
    START_RESET = "start_reset"
    SUSPEND = "suspend"
    RESTORE = "restore"

    @property
    def needs_reason(self) -> bool:
        """Whether whoever does it has to say why."""
        return self is Act.SUSPEND


@dataclass(frozen=True, slots=True)
class Selection:
    """The users that were checked, or all that a filter lets through."""

    public_ids: tuple[str, ...] = ()
    chosen: UserFilter | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What an act would be done to."""

    count: int
    busy: int
    unfit: int
    names: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of the act for one user."""

    public_id: str
    display_name: str
    email: str
    done: bool
    words: str = ""


def preview(act: Act, selection: Selection) -> Preview:
    """Return what the act would be done to, as it is now; raises Invalid for nobody and for too many."""
    ids = _ids(selection)
    query = select(User.id, User.display_name, User.email, User.state).where(User.id.in_(ids))
    users = db.session.execute(query.order_by(User.sort_name, User.id)).all()
    return Preview(
        count=len(users),
        busy=len(busy_among(ids)),
        unfit=sum(not _fits(act, user.state) for user in users),
        names=[(user.display_name, user.email) for user in users[:NAMES_SHOWN]],
    )


def carry_out(act: Act, selection: Selection, *, actor: Any, reason: str = "") -> list[Result]:
    """Do the act to each user; one that fails changes nothing about the others.

    The users are looked up anew, and each is checked again in the transaction that changes it.
    """
    reason = " ".join(reason.split())[:REASON_MAX_LENGTH]
    if act.needs_reason and not reason:
        raise Invalid(_("Say why; whoever reads the audit log will want to know."), field="reason")
    ids, results = _ids(selection), []
    for start in range(0, len(ids), AT_ONCE):
        results += _carry_out(act, ids[start : start + AT_ONCE], selection.chosen, actor, reason)
    counted = {"act": act.value, "done": sum(each.done for each in results), "of": len(ids), "reason": reason}
    audit.record_alone(
        Event.USERS_BULK_CHANGED,
        actor=actor,
        after=counted | ({"filter": selection.chosen.values} if selection.chosen else {}),
    )
    return results


@write_transaction
def _carry_out(
    act: Act, ids: Sequence[int], chosen: UserFilter | None, actor: Any, reason: str
) -> list[Result]:
    conditions = chosen.conditions() if chosen else []
    query = select(User).where(User.id.in_(ids)).order_by(User.id).with_for_update()
    users = list(db.session.scalars(query))
    fitting = set(db.session.scalars(select(User.id).where(User.id.in_(ids), *conditions)))
    return [_one(act, user, actor, reason, still=user.id in fitting) for user in users]


def _one(act: Act, user: User, actor: Any, reason: str, *, still: bool) -> Result:
    who = (user.public_id, user.display_name, user.email)
    if not still:
        return Result(*who, done=False, words=_("Does not match the filter any more."))
    try:
        with db.session.begin_nested():
            _acts(actor, reason)[act](user)
    except AppError as error:
        return Result(*who, done=False, words=error.sentence)
    return Result(*who, done=True)


def _acts(actor: Any, reason: str) -> dict[Act, Callable[[User], object]]:
    return {
        Act.END_SESSIONS: lambda user: states.end_sessions(user, actor=actor),
        Act.START_RESET: lambda user: states.start_reset(user, actor=actor),
        Act.SUSPEND: lambda user: states.suspend(user, actor=actor, reason=reason),
        Act.RESTORE: lambda user: states.restore(user, actor=actor),
    }


def _fits(act: Act, state: str) -> bool:
    suspended = state == UserState.SUSPENDED.value
    if act is Act.RESTORE:
        return suspended
    if act is Act.SUSPEND:
        return not suspended
    return act is Act.END_SESSIONS or state in {UserState.ACTIVE.value, UserState.INVITED.value}


def _ids(selection: Selection) -> list[int]:
    if selection.chosen is not None:
        ids = list(matching_ids(selection.chosen, BULK_MAX))
    else:
        ids = list(_known(selection.public_ids).values())
    if not ids:
        raise Invalid(_("Nobody is selected. Check the rows first."), code="nobody_selected")
    if len(ids) > BULK_MAX:
        sentence = _(
            "More than %(count)s users match. Narrow the filter, and do it in several steps.", count=BULK_MAX
        )
        raise Invalid(sentence, code="too_many_selected")
    return ids


def _known(public_ids: Collection[str]) -> dict[str, int]:
    if len(public_ids) > BULK_MAX:
        raise Conflict(_("Too many rows are selected at once."), code="too_many_selected")
    return ids_of(public_ids)
