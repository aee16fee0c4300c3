"""Attempts to sign in, of users and of administrators: counted, limited, recorded; the same for names nobody has.

attempt = begin(realm, name=…, subject=row or None, client=…)      raises TooMany
refuse(attempt, Outcome.WRONG_PASSWORD)                             a transaction of its own
accept(attempt, keep=…)                                             inside the caller's transaction
token = ask_second_step(attempt, keep=…, stamp=…)                   instead of accept, where it is on
attempt, step = resume(realm, token, code, client=…, load=…)        then check the code, then accept or refuse
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import delete, func, or_, select

from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.errors import Invalid
from webapp.identity import devices, links, rules, second_factors, sessions, throttles
from webapp.identity.addresses import canonical
from webapp.identity.devices import Client
from webapp.identity.models import SignIn
from webapp.identity.rules import LinkPurpose, Outcome, Realm, ThrottleKind
from webapp.lib import clock

_SIGNED_IN: Final = {Realm.USER: Event.USER_SIGNED_IN, Realm.ADMIN: Event.ADMIN_SIGNED_IN}
_REFUSED: Final = {Realm.USER: Event.USER_SIGN_IN_REFUSED, Realm.ADMIN: Event.ADMIN_SIGN_IN_REFUSED}
_LOCKED: Final = {Realm.USER: Event.USER_LOCKED, Realm.ADMIN: Event.ADMIN_LOCKED}
_LOCKS: Final = frozenset(
    {ThrottleKind.ACCOUNT, ThrottleKind.DEVICE, ThrottleKind.ADDRESS, ThrottleKind.SECOND_STEP}
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody tries to sign in; `subject` is the row of the account, None where nobody has the name.

    Its number and name are read once, so that a refusal asks the database for nothing more than it does for nobody.
    """

    realm: Realm
    subject: Any
    subject_id: int | None
    party: audit.Party | None
    client: Client
    known_device: bool
    reservation: throttles.Reservation


@dataclass(frozen=True, slots=True)
class Accepted:
    """A session has begun. `device_token` belongs into the device cookie."""

    session_token: str
    device_token: str
    new_device: bool


@dataclass(frozen=True, slots=True)
class SecondStep:
    """A password was right and a code is asked for; `stamp` says which password that was."""

    subject_id: int
    keep: bool
    stamp: str


def begin(realm: Realm, *, name: str, subject: Any, client: Client) -> Attempt:
    """Count an attempt before the password is looked at; raises TooMany where there were too many.

    From a device that the person is known to use, others' failures do not count.
    """
    subject_id, party = (None, None) if subject is None else (subject.id, audit.party(subject))
    known = devices.knows(realm, client.device, subject_id)
    if known:
        key = throttles.Key(realm, ThrottleKind.DEVICE, f"{subject_id}\0{client.device}", subject_id)
        return Attempt(realm, subject, subject_id, party, client, known, throttles.reserve(key))
    folded = canonical(name) or unicodedata.normalize("NFKC", name).strip().casefold()
    account = throttles.Key(realm, ThrottleKind.ACCOUNT, folded, subject_id)
    address = throttles.address_key(realm, client.address)
    return Attempt(realm, subject, subject_id, party, client, known, throttles.reserve(address, account))


def trusted(realm: Realm, subject: Any, client: Client) -> Attempt:
    """Return an attempt that is not counted: of somebody who proved in another way who they are."""
    known = devices.knows(realm, client.device, subject.id)
    nothing = throttles.Reservation((), frozenset())
    return Attempt(realm, subject, subject.id, audit.party(subject), client, known, nothing)


@write_transaction
def refuse(attempt: Attempt, outcome: Outcome) -> None:
    """Record an attempt that failed."""
    _note(attempt, outcome)
    audit.record(
        _REFUSED[attempt.realm], actor=audit.STRANGER, target=attempt.party, after={"reason": outcome.value}
    )
    for kind in sorted(attempt.reservation.began_to_block & _LOCKS):
        target = attempt.party
        if kind is ThrottleKind.ADDRESS:
            target = audit.Party("address", "", attempt.client.address)
        audit.record(_LOCKED[attempt.realm], actor=audit.STRANGER, target=target, after={"by": kind.value})


def accept(attempt: Attempt, *, keep: bool) -> Accepted:
    """Begin a session, inside the caller's transaction."""
    subject, client = attempt.subject, attempt.client
    throttles.give_back(attempt.reservation)
    device = devices.remember(attempt.realm, subject.id, client)
    _note(attempt, Outcome.OK)
    audit.record(_SIGNED_IN[attempt.realm], actor=subject)
    token = sessions.begin(attempt.realm, subject.id, client=client, keep=keep)
    return Accepted(token, device, new_device=not attempt.known_device)


def ask_second_step(attempt: Attempt, *, keep: bool, stamp: str) -> str:
    """Return a token by which the second step goes on, inside the caller's transaction; no session exists yet."""
    throttles.give_back(attempt.reservation)
    data = {"keep": keep, "stamp": stamp}
    return links.issue(
        LinkPurpose.SECOND_STEP, attempt.realm, attempt.subject.id, life=rules.SECOND_STEP_LIFE, data=data
    )


def second_step(realm: Realm, token: str) -> SecondStep | None:
    """Return the second step that a token stands for."""
    link = links.find(LinkPurpose.SECOND_STEP, token)
    if link is None or link.realm is not realm:
        return None
    return SecondStep(link.subject_id, bool(link.data["keep"]), str(link.data["stamp"]))


def resume(
    realm: Realm, token: str, code: str, *, client: Client, load: Callable[[int], Any]
) -> tuple[Attempt, SecondStep]:
    """Count a try of the second step; raises Invalid where the first one is too long ago, TooMany at the limit.

    `load` returns the row of an account by id. A known device has a count of its own, and recovery codes have
    none, so that nobody who knows the password can keep the owner out.
    """
    step = second_step(realm, token)
    subject = None if step is None else load(step.subject_id)
    if step is None or subject is None:
        raise Invalid(_("This took too long. Sign in again."), code="step_expired")
    known = devices.knows(realm, client.device, subject.id)
    keys: tuple[throttles.Key, ...] = ()
    if not second_factors.is_recovery_code(code):
        text = f"{subject.id}\0{client.device if known else ''}"
        keys = (throttles.Key(realm, ThrottleKind.SECOND_STEP, text, subject.id),)
    party = audit.party(subject)
    return Attempt(realm, subject, subject.id, party, client, known, throttles.reserve(*keys)), step


def history(realm: Realm, subject_id: int, *, limit: int = rules.SIGN_INS_SHOWN) -> list[SignIn]:
    """Return the newest attempts on an account."""
    query = select(SignIn).where(SignIn.realm == realm.value, SignIn.subject_id == subject_id)
    return list(db.session.scalars(query.order_by(SignIn.created_at.desc(), SignIn.id.desc()).limit(limit)))


@write_transaction
def purge() -> None:
    """Keep the history bounded: by age, and by number for each account."""
    now = clock.utc_now()
    of_nobody = SignIn.subject_id.is_(None) & (SignIn.created_at < now - rules.SIGN_INS_OF_NOBODY_KEPT)
    db.session.execute(delete(SignIn).where(or_(SignIn.created_at < now - rules.SIGN_INS_KEPT, of_nobody)))
    for realm, subject_id in _with_too_many():
        oldest_kept = db.session.scalar(
            select(SignIn.created_at)
            .where(SignIn.realm == realm, SignIn.subject_id == subject_id)
            .order_by(SignIn.created_at.desc(), SignIn.id.desc())
            .offset(rules.SIGN_INS_KEPT_EACH - 1)
            .limit(1)
        )
        if oldest_kept is not None:
            _delete_before(realm, subject_id, oldest_kept)


def _with_too_many() -> list[tuple[str, int]]:
    query = (
        select(SignIn.realm, SignIn.subject_id)
        .where(SignIn.subject_id.is_not(None))
        .group_by(SignIn.realm, SignIn.subject_id)
        .having(func.count() > rules.SIGN_INS_KEPT_EACH)
    )
    return [(realm, subject_id) for realm, subject_id in db.session.execute(query) if subject_id is not None]


def _delete_before(realm: str, subject_id: int, moment: dt.datetime) -> None:
    db.session.execute(
        delete(SignIn).where(
            SignIn.realm == realm, SignIn.subject_id == subject_id, SignIn.created_at < moment
        )
    )


def _note(attempt: Attempt, outcome: Outcome) -> None:
    db.session.add(
        SignIn(
            realm=attempt.realm.value,
            subject_id=attempt.subject_id,
            outcome=outcome.value,
            new_device=not attempt.known_device,
            user_agent=attempt.client.user_agent[: rules.USER_AGENT_LENGTH],
            address=attempt.client.address,
            created_at=clock.utc_now(),
        )
    )
