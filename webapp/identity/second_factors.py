"""Two-step sign-in: codes of an authenticator app (TOTP, RFC 6238), and recovery codes that stand in for it.

A code works once: the time step of the last one is kept. Recovery codes have 80 random bits and are kept hashed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import pyotp
from flask_babel import gettext as _
from sqlalchemy import delete, func, select

from webapp.database import db, write_transaction
from webapp.errors import Conflict, Invalid
from webapp.identity import rules
from webapp.identity.models import RecoveryCode, SecondFactor
from webapp.identity.rules import Realm
from webapp.lib import clock

_SIGNS: Final = "abcdefghjkmnpqrstuvwxyz023456789"  # 32, without those taken for one another


@dataclass(frozen=True, slots=True)
class Passed:
    """A code that was right; `recovery_left` counts the recovery codes left where one of them was used."""

    recovery_left: int | None = None


def is_on(realm: Realm, subject_id: int) -> bool:
    """Tell whether signing in takes a second step."""
    row = _find(realm, subject_id)
    return row is not None and row.confirmed_at is not None


def with_one(realm: Realm, subject_ids: Collection[int]) -> set[int]:
    """Return those of the people who have two-step sign-in on."""
    query = select(SecondFactor.subject_id).where(
        SecondFactor.realm == realm.value,
        SecondFactor.subject_id.in_(subject_ids),
        SecondFactor.confirmed_at.is_not(None),
    )
    return set(db.session.scalars(query))


@write_transaction
def offer(realm: Realm, subject_id: int) -> str:
    """Make a secret that is still to be confirmed, in the place of one offered before, and return it."""
    row = _find(realm, subject_id, lock=True)
    if row is not None and row.confirmed_at is not None:
        raise Conflict(_("Two-step sign-in is on already."), code="totp_changed")
    if row is None:
        row = SecondFactor(realm=realm.value, subject_id=subject_id)
        db.session.add(row)
    row.secret = pyotp.random_base32()
    return row.secret


@write_transaction
def give_up(realm: Realm, subject_id: int) -> None:
    """Forget a secret that was offered and not confirmed."""
    row = _find(realm, subject_id, lock=True)
    if row is not None and row.confirmed_at is None:
        db.session.delete(row)


def offered(realm: Realm, subject_id: int) -> str | None:
    """Return the secret that is still to be confirmed."""
    row = _find(realm, subject_id)
    return row.secret if row is not None and row.confirmed_at is None else None


def key_in_groups(secret: str) -> str:
    """Return the secret as people type it."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def address_for_app(secret: str, *, name: str, issuer: str) -> str:
    """Return the otpauth address that an authenticator app reads from the square."""
    return pyotp.TOTP(secret, interval=rules.TOTP_STEP_SECONDS).provisioning_uri(
        name=name, issuer_name=issuer
    )


def turn_on(realm: Realm, subject_id: int, code: str) -> list[str]:
    """Confirm the offered secret with a code, inside the caller's transaction, and return fresh recovery codes."""
    row = _find(realm, subject_id, lock=True)
    if row is None or row.confirmed_at is not None:
        raise Conflict(
            _("Two-step sign-in was changed elsewhere. Load this page again."), code="totp_changed"
        )
    step = _matching_step(row, code)
    if step is None:
        raise Invalid(_("That code is not right. Enter the one shown now."), field="code", code="code_wrong")
    row.last_step, row.confirmed_at = step, clock.utc_now()
    return new_recovery_codes(realm, subject_id)


def turn_off(realm: Realm, subject_id: int) -> bool:
    """Ask for no second step any more, inside the caller's transaction; tells whether one was asked for."""
    was_on = is_on(realm, subject_id)
    for table in (SecondFactor, RecoveryCode):
        db.session.execute(delete(table).where(table.realm == realm.value, table.subject_id == subject_id))
    return was_on


def turn_off_since(realm: Realm, subject_id: int, moment: dt.datetime) -> bool:
    """Turn it off inside the caller's transaction if it was turned on after a moment; tells whether it was."""
    row = _find(realm, subject_id)
    if row is None or row.created_at < moment:
        return False
    return turn_off(realm, subject_id)


def new_recovery_codes(realm: Realm, subject_id: int) -> list[str]:
    """Replace the recovery codes, inside the caller's transaction, and return them; they are stored nowhere else."""
    db.session.execute(
        delete(RecoveryCode).where(RecoveryCode.realm == realm.value, RecoveryCode.subject_id == subject_id)
    )
    codes = [
        "".join(map(secrets.choice, [_SIGNS] * rules.RECOVERY_CODE_LENGTH))
        for _each in range(rules.RECOVERY_CODES)
    ]
    for code in codes:
        db.session.add(
            RecoveryCode(realm=realm.value, subject_id=subject_id, code_hash=_hash(realm, subject_id, code))
        )
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]


def recovery_codes_left(realm: Realm, subject_id: int) -> int:
    """Return how many recovery codes are unused."""
    query = select(func.count()).where(
        RecoveryCode.realm == realm.value,
        RecoveryCode.subject_id == subject_id,
        RecoveryCode.used_at.is_(None),
    )
    return db.session.scalar(query) or 0


def check(realm: Realm, subject_id: int, code: str) -> Passed | None:
    """Spend a code of the app or a recovery code, inside the caller's transaction; None where it is not right."""
    if is_recovery_code(code):
        return _check_recovery(realm, subject_id, code)
    row = _find(realm, subject_id, lock=True)
    if row is None or row.confirmed_at is None:
        return None
    step = _matching_step(row, code)
    if step is None:
        return None
    row.last_step = step
    return Passed()


def is_recovery_code(code: str) -> bool:
    """Tell whether the text has the form of a recovery code; those cannot be guessed, so they need no limit."""
    plain = _plain(code)
    return len(plain) == rules.RECOVERY_CODE_LENGTH and set(plain) <= set(_SIGNS)


def _check_recovery(realm: Realm, subject_id: int, code: str) -> Passed | None:
    row = db.session.scalar(
        select(RecoveryCode)
        .where(
            RecoveryCode.realm == realm.value,
            RecoveryCode.subject_id == subject_id,
            RecoveryCode.code_hash == _hash(realm, subject_id, _plain(code)),
            RecoveryCode.used_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or not is_on(realm, subject_id):
        return None
    row.used_at = clock.utc_now()
    db.session.flush()
    return Passed(recovery_codes_left(realm, subject_id))


def _matching_step(row: SecondFactor, code: str) -> int | None:
    """Return the time step of a code that is right and newer than the last one used."""
    digits = _plain(code)
    if not row.secret or len(digits) != rules.CODE_DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    totp = pyotp.TOTP(row.secret, interval=rules.TOTP_STEP_SECONDS)
    now = int(clock.utc_now().timestamp()) // rules.TOTP_STEP_SECONDS
    for step in range(now - rules.TOTP_DRIFT_STEPS, now + rules.TOTP_DRIFT_STEPS + 1):
        if step > row.last_step and hmac.compare_digest(totp.generate_otp(step), digits):
            return step
    return None


def _find(realm: Realm, subject_id: int, *, lock: bool = False) -> SecondFactor | None:
    query = select(SecondFactor).where(
        SecondFactor.realm == realm.value, SecondFactor.subject_id == subject_id
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(query)


def _plain(code: str) -> str:
    folded = unicodedata.normalize("NFKC", code).casefold()
    return "".join(sign for sign in folded if sign.isalnum())


def _hash(realm: Realm, subject_id: int, code: str) -> str:
    return hashlib.sha256(f"recovery-code\0{realm.value}\0{subject_id}\0{code}".encode()).hexdigest()
