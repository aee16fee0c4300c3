"""How often may be tried: counted in the database, so that all processes count together, Redis or not.

A try is counted before it is made and given back when it succeeds: tries made at once cannot slip past the limit.
What is counted is the same whether there is an account or not.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import delete, insert, or_, select

from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.errors import TooMany
from webapp.identity import rules
from webapp.identity.models import Throttle
from webapp.identity.rules import Realm, ThrottleKind
from webapp.lib import clock


@dataclass(frozen=True, slots=True)
class Key:
    """Something whose tries are counted; `text` names it and is kept as a hash only."""

    realm: Realm
    kind: ThrottleKind
    text: str
    subject_id: int | None = None
    address: str = ""

    @property
    def hash(self) -> str:
        """The keyed hash by which it is counted."""
        secret = current_settings().secret_key.get_secret_value().encode()
        text = f"throttle\0{self.realm.value}\0{self.kind.value}\0{self.text}".encode("utf-8", "replace")
        return hmac.new(secret, text, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Reservation:
    """Tries that are counted already; `began_to_block` names the kinds that let nobody try any more."""

    keys: tuple[Key, ...]
    began_to_block: frozenset[ThrottleKind]


def address_key(realm: Realm, address: str) -> Key:
    """Return the key of an address: of a whole network of 64 bits for IPv6, where one customer has so many."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return Key(realm, ThrottleKind.ADDRESS, address, address=address[:64])
    if isinstance(parsed, ipaddress.IPv6Address):
        address = str(ipaddress.ip_network((parsed, 64), strict=False))
    return Key(realm, ThrottleKind.ADDRESS, address, address=address)


def reserve(*keys: Key) -> Reservation:
    """Count a try under all keys; raises TooMany where one of them has to wait."""
    wait, reservation = _reserve(keys)
    if wait is not None:
        seconds = int(wait.total_seconds()) + 1
        sentence = _("Too many tries. Try again in %(minutes)s minutes.", minutes=-(-seconds // 60))
        raise TooMany(sentence, code="too_many_tries", retry_after_seconds=seconds)
    return reservation


def give_back(reservation: Reservation) -> None:
    """Take a try that succeeded out of the count, inside the caller's transaction.

    Those of an address are given back one by one: an account of one's own must not wash away tries on others'.
    """
    for key in reservation.keys:
        row = _find(key)
        if row is None:
            continue
        if key.kind is ThrottleKind.ADDRESS:
            row.failures, row.blocked_until = max(0, row.failures - 1), None
        else:
            db.session.delete(row)


def blocked(realm: Realm | None = None, *, limit: int = 200) -> list[Throttle]:
    """Return what must wait at the moment, the longest wait first."""
    query = select(Throttle).where(Throttle.blocked_until > clock.utc_now())
    if realm is not None:
        query = query.where(Throttle.realm == realm.value)
    return list(db.session.scalars(query.order_by(Throttle.blocked_until.desc()).limit(limit)))


def is_blocked(realm: Realm, subject_id: int) -> bool:
    """Tell whether signing in to the account has to wait, other than from its known devices."""
    query = select(Throttle.id).where(
        Throttle.realm == realm.value,
        Throttle.subject_id == subject_id,
        Throttle.kind.in_([ThrottleKind.ACCOUNT.value, ThrottleKind.SECOND_STEP.value]),
        Throttle.blocked_until > clock.utc_now(),
    )
    return db.session.scalar(query.limit(1)) is not None


def lift(throttle_id: str) -> Throttle | None:
    """Forget the tries of one key inside the caller's transaction; returns what it was."""
    row = db.session.scalar(select(Throttle).where(Throttle.public_id == throttle_id))
    if row is not None:
        db.session.delete(row)
    return row


def lift_all_of(realm: Realm, subject_id: int) -> None:
    """Forget the tries on an account inside the caller's transaction."""
    db.session.execute(
        delete(Throttle).where(Throttle.realm == realm.value, Throttle.subject_id == subject_id)
    )


@write_transaction
def purge() -> None:
    """Delete what is forgotten anyhow."""
    now = clock.utc_now()
    db.session.execute(
        delete(Throttle).where(
            Throttle.updated_at < now - rules.FAILURES_FORGOTTEN,
            or_(Throttle.blocked_until.is_(None), Throttle.blocked_until < now),
        )
    )


@write_transaction
def _reserve(keys: tuple[Key, ...]) -> tuple[dt.timedelta | None, Reservation]:
    now = clock.utc_now()
    rows = [_row(key, now) for key in keys]
    waits = [row.blocked_until - now for row in rows if row.blocked_until and row.blocked_until > now]
    if waits:
        return max(waits), Reservation(keys, frozenset())
    began: set[ThrottleKind] = set()
    for key, row in zip(keys, rows, strict=True):
        if row.updated_at < now - rules.FAILURES_FORGOTTEN:
            row.failures = 0
        policy = rules.THROTTLES[key.kind]
        row.failures, row.updated_at = row.failures + 1, now
        row.subject_id = key.subject_id
        wait = policy.wait_after(row.failures)
        row.blocked_until = None if wait is None else now + wait
        if row.failures == policy.free:
            began.add(key.kind)
    return None, Reservation(keys, frozenset(began))


def _row(key: Key, now: dt.datetime) -> Throttle:
    """Return the locked row of a key; made where there is none, by whichever process is first."""
    row = _find(key)
    if row is not None:
        return row
    values = {
        "realm": key.realm.value,
        "kind": key.kind.value,
        "key_hash": key.hash,
        "subject_id": key.subject_id,
        "address": key.address,
        "failures": 0,
        "updated_at": now,
    }
    statement = (
        insert(Throttle).prefix_with("OR IGNORE", dialect="sqlite").prefix_with("IGNORE", dialect="mysql")
    )
    db.session.execute(statement.values(**values))
    row = _find(key)
    if row is None:
        raise AssertionError("a row was just made")
    return row


def _find(key: Key) -> Throttle | None:
    return db.session.scalar(
        select(Throttle)
        .where(
            Throttle.realm == key.realm.value,
            Throttle.kind == key.kind.value,
            Throttle.key_hash == key.hash,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
