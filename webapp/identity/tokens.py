"""API tokens: 256 random bits behind a prefix that secret scanners know, shown once, kept hashed."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError

from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.errors import Invalid, NotFound, TooMany
from webapp.identity import rules, sessions
from webapp.identity.models import ApiToken
from webapp.identity.rules import Realm, Scope
from webapp.lib import clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TokenUse:
    """A token that may be used: whose it is and for what."""

    person: Any
    token_id: int
    public_id: str
    scopes: frozenset[str]


def create(
    person: Any, *, name: str, scopes: Collection[str], days: int, networks: str = ""
) -> tuple[str, ApiToken]:
    """Make a token for a user and return it with its row; raises Invalid, or TooMany at the limits."""
    name = " ".join(name.split())
    if not name or len(name) > rules.TOKEN_NAME_LENGTH:
        sentence = _("Give it a name of at most %(most)s characters.", most=rules.TOKEN_NAME_LENGTH)
        raise Invalid(sentence, field="name")
    if not scopes or not set(scopes) <= {each.value for each in Scope}:
        raise Invalid(_("Choose what the token may be used for."), field="scopes")
    if days not in rules.TOKEN_DAYS:
        raise Invalid(_("Choose one of the times offered."), field="days")
    return _create(person, name, sorted(set(scopes)), days, _checked_networks(networks))


def find(raw: str, address: str) -> TokenUse | None:
    """Return what a token allows to whoever comes from the address, None for one that does not hold.

    A token of ours that does not hold (revoked, expired, from elsewhere, of an account that may not be used) is
    recorded, at most once a minute each.
    """
    if not raw.startswith(rules.TOKEN_PREFIX) or len(raw) > 200:
        return None
    row = db.session.scalar(select(ApiToken).where(ApiToken.token_hash == _hash(raw)))
    if row is None:
        return None
    now = clock.utc_now()
    person = sessions.person(Realm(row.realm), row.subject_id)
    reason = _why_not(row, person, address, now)
    if reason:
        _note_refusal(row.id, reason)
        return None
    if row.last_used_at is None or now - row.last_used_at > rules.TOKEN_TOUCH:
        _touch_if_possible(row.id, address)
    return TokenUse(person, row.id, row.public_id, frozenset(row.scope_names))


def of(realm: Realm, subject_id: int) -> list[ApiToken]:
    """Return a person's tokens that are neither revoked nor long expired, newest first."""
    query = select(ApiToken).where(
        ApiToken.realm == realm.value,
        ApiToken.subject_id == subject_id,
        ApiToken.revoked_at.is_(None),
        ApiToken.expires_at > clock.utc_now() - rules.TOKENS_KEPT,
    )
    return list(db.session.scalars(query.order_by(ApiToken.id.desc())))


def still_hold(token_ids: Collection[int]) -> set[int]:
    """Return those of the tokens that still hold; one query, for open streams."""
    query = select(ApiToken).where(
        ApiToken.id.in_(token_ids), ApiToken.revoked_at.is_(None), ApiToken.expires_at > clock.utc_now()
    )
    rows = db.session.scalars(query).all()
    return {row.id for row in rows if sessions.person(Realm(row.realm), row.subject_id) is not None}


@write_transaction
def revoke(person: Any, public_id: str, *, actor: Any) -> ApiToken:
    """Revoke one of a user's tokens; raises NotFound for another's."""
    row = db.session.scalar(
        select(ApiToken).where(
            ApiToken.public_id == public_id,
            ApiToken.realm == Realm.USER.value,
            ApiToken.subject_id == person.id,
            ApiToken.revoked_at.is_(None),
        )
    )
    if row is None:
        raise NotFound(_("There is no such token."))
    row.revoked_at = clock.utc_now()
    audit.record(Event.TOKEN_REVOKED, actor=actor, target=row)
    return row


def revoke_all(realm: Realm, subject_id: int, *, actor: Any) -> int:
    """Revoke all of a person's tokens inside the caller's transaction; returns how many."""
    rows = [row for row in of(realm, subject_id) if row.expires_at > clock.utc_now()]
    for row in rows:
        row.revoked_at = clock.utc_now()
        audit.record(Event.TOKEN_REVOKED, actor=actor, target=row)
    return len(rows)


def in_force(realm: Realm, subject_id: int) -> int:
    """Return how many of a person's tokens hold."""
    query = select(func.count()).where(
        ApiToken.realm == realm.value,
        ApiToken.subject_id == subject_id,
        ApiToken.revoked_at.is_(None),
        ApiToken.expires_at > clock.utc_now(),
    )
    return db.session.scalar(query) or 0


@write_transaction
def purge() -> None:
    """Delete tokens that ended long ago."""
    old = clock.utc_now() - rules.TOKENS_KEPT
    db.session.execute(delete(ApiToken).where(ApiToken.expires_at < old))
    db.session.execute(delete(ApiToken).where(ApiToken.revoked_at < old))


@write_transaction
def _create(
    person: Any, name: str, scopes: list[str], days: int, networks: tuple[str, ...]
) -> tuple[str, ApiToken]:
    now = clock.utc_now()
    if in_force(Realm.USER, person.id) >= rules.TOKENS_EACH:
        sentence = _(
            "You have %(most)s tokens already. Revoke one that you no longer use.", most=rules.TOKENS_EACH
        )
        raise TooMany(sentence, code="token_cap")
    made = db.session.scalar(
        select(func.count()).where(
            ApiToken.realm == Realm.USER.value,
            ApiToken.subject_id == person.id,
            ApiToken.created_at > now - dt.timedelta(days=1),
        )
    )
    if (made or 0) >= rules.TOKENS_A_DAY:
        sentence = _("Too many tokens were made today. Try again tomorrow.")
        raise TooMany(sentence, code="token_cap_day", retry_after_seconds=24 * 3600)
    raw = rules.TOKEN_PREFIX + secrets.token_urlsafe(rules.TOKEN_BYTES)
    row = ApiToken(
        subject_id=person.id,
        name=name,
        token_hash=_hash(raw),
        hint=raw[-4:],
        scopes=" ".join(scopes),
        networks=" ".join(networks),
        created_at=now,
        expires_at=now + dt.timedelta(days=days),
    )
    db.session.add(row)
    db.session.flush()
    after = {"scopes": scopes, "days": days, "networks": list(networks)}
    audit.record(Event.TOKEN_CREATED, actor=person, target=row, after=after)
    return raw, row


def _why_not(row: ApiToken, person: Any, address: str, now: dt.datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at <= now:
        return "expired"
    if person is None:
        return "account"
    if row.networks and not _is_within(address, row.network_names):
        return "address"
    return ""


@write_transaction
def _note_refusal(token_id: int, reason: str) -> None:
    now = clock.utc_now()
    due = ApiToken.refused_at.is_(None) | (ApiToken.refused_at < now - rules.TOKEN_TOUCH)
    query = select(ApiToken).where(ApiToken.id == token_id, due).with_for_update()
    row = db.session.scalar(query)
    if row is not None:
        row.refused_at = now
        audit.record(Event.TOKEN_REFUSED, actor=audit.STRANGER, target=row, after={"reason": reason})


def _touch_if_possible(token_id: int, address: str) -> None:
    """Note that the token is in use; a database that takes no writes refuses nobody."""
    try:
        _touch(token_id, address)
    except DBAPIError as error:
        log.warning("token not touched", extra={"error": type(error).__name__})


@write_transaction
def _touch(token_id: int, address: str) -> None:
    values = {"last_used_at": clock.utc_now(), "last_used_address": address[:64]}
    db.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(**values))


def _checked_networks(text: str) -> tuple[str, ...]:
    names = text.replace(",", " ").split()
    if len(names) > rules.TOKEN_NETWORKS:
        sentence = _("List at most %(most)s addresses or networks.", most=rules.TOKEN_NETWORKS)
        raise Invalid(sentence, field="networks")
    found: list[str] = []
    for name in names:
        try:
            found.append(str(ipaddress.ip_network(name, strict=False)))
        except ValueError:
            sentence = _(
                "%(name)s is not an address. Write addresses like 203.0.113.7 or networks like 203.0.113.0/24.",
                name=name[:60],
            )
            raise Invalid(sentence, field="networks") from None
    return tuple(found)


def _is_within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return any(parsed in ipaddress.ip_network(name) for name in networks)


def _hash(raw: str) -> str:
    return hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()
