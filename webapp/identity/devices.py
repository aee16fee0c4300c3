"""Known devices: a random token in a long-lived cookie tells a browser that has been used before from a new one."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, select

from webapp.database import db, write_transaction
from webapp.identity import rules
from webapp.identity.models import KnownDevice
from webapp.identity.rules import Realm
from webapp.lib import clock


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: the browser's name, its address, and the token of its device cookie, which may be empty.

    A `program` gets a bearer token that no cookie can stand for, and the other way round.
    """

    user_agent: str
    address: str
    device: str = ""
    program: bool = False


def knows(realm: Realm, device: str, subject_id: int | None) -> bool:
    """Tell whether the person has signed in on the device; takes as long for nobody."""
    query = select(KnownDevice.subject_id).where(
        KnownDevice.token_hash == _hash(device), KnownDevice.realm == realm.value
    )
    return subject_id in set(db.session.scalars(query))


def is_any(device: str) -> bool:
    """Tell whether anybody has signed in on the device."""
    if not device:
        return False
    query = select(KnownDevice.id).where(KnownDevice.token_hash == _hash(device)).limit(1)
    return db.session.scalar(query) is not None


def remember(realm: Realm, subject_id: int, client: Client) -> str:
    """Note inside the caller's transaction that the person signs in on the device; returns its token.

    A token that we never gave out is not taken over: the device gets one of ours.
    """
    now = clock.utc_now()
    rows = list(db.session.scalars(select(KnownDevice).where(KnownDevice.token_hash == _hash(client.device))))
    token = client.device if rows else secrets.token_urlsafe(32)
    mine = next((each for each in rows if (each.realm, each.subject_id) == (realm.value, subject_id)), None)
    if mine is None:
        mine = KnownDevice(realm=realm.value, subject_id=subject_id, token_hash=_hash(token))
        db.session.add(mine)
    mine.user_agent, mine.last_seen_at = client.user_agent[: rules.USER_AGENT_LENGTH], now
    return token


def forget_all(realm: Realm, subject_id: int) -> None:
    """Know no device of the person any more, inside the caller's transaction."""
    db.session.execute(
        delete(KnownDevice).where(KnownDevice.realm == realm.value, KnownDevice.subject_id == subject_id)
    )


@write_transaction
def purge() -> None:
    """Delete devices that were not used for so long that their cookie is gone."""
    old = clock.utc_now() - rules.DEVICE_LIFE
    db.session.execute(delete(KnownDevice).where(KnownDevice.last_seen_at < old))


def _hash(token: str) -> str:
    return hashlib.sha256(b"device\0" + token.encode("utf-8", "replace")).hexdigest()
