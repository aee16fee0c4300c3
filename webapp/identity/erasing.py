"""Forgetting somebody: everything that identity keeps of them."""

from __future__ import annotations

from sqlalchemy import delete

from webapp.database import db
from webapp.identity.addresses import canonical
from webapp.identity.models import (
    ApiToken,
    KnownDevice,
    LoginSession,
    OneTimeLink,
    RecoveryCode,
    SecondFactor,
    SignIn,
    Throttle,
    VerificationCode,
)
from webapp.identity.rules import Realm

_TABLES = (LoginSession, SignIn, KnownDevice, SecondFactor, RecoveryCode, ApiToken, Throttle, OneTimeLink)


def erase_subject(realm: Realm, subject_id: int, email: str) -> None:
    """Delete what is kept of a person and the codes of their address, inside the caller's transaction."""
    for table in _TABLES:
        db.session.execute(delete(table).where(table.realm == realm.value, table.subject_id == subject_id))
    db.session.execute(delete(VerificationCode).where(VerificationCode.address == canonical(email)))
