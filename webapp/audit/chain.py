"""The seals of the audit log: HMAC-SHA256 with a key that is not in the database.

Each entry is marked when it is written: the mark covers all that it says, so that nobody can add or change an entry
with SQL alone. Later it is sealed: the seal takes the place of the mark and covers what it says, its id, its number
in the chain and the seal before it. The chain's own row, which says where the chain begins and ends, is signed.

The key is derived from AUDIT_KEY, or from SECRET_KEY where that is empty.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Row, select

from webapp.audit.models import AuditChain, AuditEntry
from webapp.config import deployment_settings
from webapp.database import db

TOLD: Final = (
    "public_id",
    "event",
    "actor_kind",
    "actor_id",
    "actor_name",
    "target_kind",
    "target_id",
    "target_name",
    "address",
    "request_id",
    "before",
    "after",
)
COLUMNS: Final = tuple(
    getattr(AuditEntry, name) for name in ("id", *TOLD, "created_at", "seal_number", "seal")
)


class BrokenChainError(Exception):
    """The chain's own row was changed or removed by somebody else than the program."""


def mark(entry: Any) -> str:
    """Return the mark of a new entry, which has no id yet."""
    return _hmac(["mark", *_told(entry)])


def seal(entry: Any, number: int, previous: str) -> str:
    """Return the seal of an entry, an object or a row, at a place in the chain."""
    return _hmac(["seal", number, previous, entry.id, *_told(entry)])


def sign(chain: AuditChain) -> None:
    """Sign the chain's row after a change."""
    chain.signature = _signature(chain)


def is_signed(chain: AuditChain) -> bool:
    """Tell whether the chain's row is as the program left it."""
    return same(chain.signature, _signature(chain))


def same(stored: str | None, right: str) -> bool:
    """Compare two seals in a time that does not tell where they differ."""
    return hmac.compare_digest((stored or "").encode(), right.encode())


def locked() -> AuditChain:
    """Return the chain's row, locked until the transaction ends; made when the first entry is sealed.

    Raises BrokenChainError where it was tampered with: nothing may be sealed over that.
    """
    chain = db.session.get(AuditChain, 1, with_for_update=True, populate_existing=True)
    if chain is None:
        if db.session.scalar(select(AuditEntry.id).where(AuditEntry.seal_number.is_not(None)).limit(1)):
            raise BrokenChainError("the row that says where the chain ends is gone")
        chain = AuditChain(id=1, first_number=0, first_seal="", last_number=0, last_seal="")
        sign(chain)
        db.session.add(chain)
        db.session.flush()
    if not is_signed(chain):
        raise BrokenChainError("the row that says where the chain ends was changed")
    return chain


def chained_rows(after: int, limit: int, up_to: int | None = None) -> list[Row[Any]]:
    """Return the sealed entries behind a number, in the order of the chain."""
    query = select(*COLUMNS).where(AuditEntry.seal_number > after)
    if up_to is not None:
        query = query.where(AuditEntry.seal_number <= up_to)
    return list(db.session.execute(query.order_by(AuditEntry.seal_number).limit(limit)))


def unsealed_rows(after: int, limit: int) -> list[Row[Any]]:
    """Return the entries that are not sealed yet, those with an id behind the given one, oldest first."""
    query = select(*COLUMNS).where(AuditEntry.seal_number.is_(None), AuditEntry.id > after)
    return list(db.session.execute(query.order_by(AuditEntry.id).limit(limit)))


def _told(entry: Any) -> list[str]:
    moment = entry.created_at.isoformat(timespec="microseconds")
    return [*(getattr(entry, name) for name in TOLD), moment]


def _signature(chain: AuditChain) -> str:
    return _hmac(["chain", chain.first_number, chain.first_seal, chain.last_number, chain.last_seal])


def _hmac(parts: list[Any]) -> str:
    settings = deployment_settings()
    secret = settings.audit_key.get_secret_value() or settings.secret_key.get_secret_value()
    return hmac.digest(_key(secret), json.dumps(parts).encode(), "sha256").hex()


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    return hashlib.blake2b(secret.encode(), digest_size=32, person=b"audit-log").digest()
