"""One-time links: whoever holds the random token may do one thing once, until it expires."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update

from webapp.database import db, write_transaction
from webapp.identity import rules
from webapp.identity.models import OneTimeLink
from webapp.identity.rules import LinkPurpose, Realm
from webapp.lib import clock


@dataclass(frozen=True, slots=True)
class Link:
    """What a token stands for."""

    realm: Realm
    subject_id: int
    data: dict[str, Any]


def issue(
    purpose: LinkPurpose,
    realm: Realm,
    subject_id: int,
    *,
    life: dt.timedelta,
    data: dict[str, Any] | None = None,
) -> str:
    """Make a token inside the caller's transaction and return it; it is stored nowhere else."""
    token, now = secrets.token_urlsafe(32), clock.utc_now()
    db.session.add(
        OneTimeLink(
            purpose=purpose.value,
            realm=realm.value,
            subject_id=subject_id,
            token_hash=_hash(purpose, token),
            data=json.dumps(data or {}),
            created_at=now,
            expires_at=now + life,
        )
    )
    return token


def find(purpose: LinkPurpose, token: str) -> Link | None:
    """Return what an open token stands for."""
    row = _open(purpose, token)
    return None if row is None else _link(row)


def use(purpose: LinkPurpose, token: str) -> Link | None:
    """Return what an open token stands for, and close it, inside the caller's transaction: of two, one gets it."""
    row = _open(purpose, token, lock=True)
    if row is None:
        return None
    row.used_at = clock.utc_now()
    return _link(row)


def close_all(realm: Realm, subject_id: int, *purposes: LinkPurpose) -> None:
    """Close the person's open tokens of these purposes, inside the caller's transaction; without any, all."""
    query = update(OneTimeLink).where(
        OneTimeLink.realm == realm.value, OneTimeLink.subject_id == subject_id, OneTimeLink.used_at.is_(None)
    )
    if purposes:
        query = query.where(OneTimeLink.purpose.in_([each.value for each in purposes]))
    db.session.execute(query.values(used_at=clock.utc_now()))


@write_transaction
def purge() -> None:
    """Delete what expired long ago."""
    db.session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < clock.utc_now() - rules.LINKS_KEPT))


def _open(purpose: LinkPurpose, token: str, *, lock: bool = False) -> OneTimeLink | None:
    query = select(OneTimeLink).where(
        OneTimeLink.token_hash == _hash(purpose, token),
        OneTimeLink.used_at.is_(None),
        OneTimeLink.expires_at > clock.utc_now(),
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(query)


def _link(row: OneTimeLink) -> Link:
    return Link(Realm(row.realm), row.subject_id, json.loads(row.data))


def _hash(purpose: LinkPurpose, token: str) -> str:
    return hashlib.sha256(f"{purpose.value}\0{token}".encode("utf-8", "replace")).hexdigest()
