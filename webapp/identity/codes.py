"""E-mailed codes: six digits, ten minutes, five tries, one use, one purpose.

A code is made for an address whether or not mail goes to it, so that nothing told or timed later shows whether
there is an account.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import ColumnElement, delete, func, select

from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.errors import Invalid, TooMany
from webapp.identity import rules
from webapp.identity.addresses import canonical
from webapp.identity.models import VerificationCode
from webapp.identity.rules import Purpose
from webapp.lib import clock


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a try; `tries_left` is 0 when there is no code that could still be right."""

    right: bool
    tries_left: int = 0

    def require(self, *, field: str = "code") -> None:
        """Raise Invalid, in words, unless the code was right."""
        if self.right:
            return
        if self.tries_left:
            left = self.tries_left
            sentence = ngettext(
                "That code is not right. %(num)s try left.",
                "That code is not right. %(num)s tries left.",
                left,
            )
            raise Invalid(sentence, field=field, code="code_wrong")
        sentence = _("That code is not right or no longer works. Ask for a new one.")
        raise Invalid(sentence, field=field, code="code_dead")


def issue(purpose: Purpose, address: str, *, bound_to: str = "") -> str:
    """Make a code inside the caller's transaction; the older one dies. Raises TooMany where a cap is reached.

    It works only for whom it is bound to, where it is bound to somebody.
    The caps count the codes asked for, whether they were mailed or not, so that a refusal tells nothing of accounts.
    """
    now, key = clock.utc_now(), canonical(address)
    _hold_to_caps(purpose, key, now)
    for older in _open_codes(purpose, key, now):
        older.tries_left = 0
    code = f"{secrets.randbelow(10**rules.CODE_DIGITS):0{rules.CODE_DIGITS}d}"
    db.session.add(
        VerificationCode(
            purpose=purpose.value,
            address=key,
            code_hash=_hash(purpose, key, code, bound_to),
            created_at=now,
            expires_at=now + rules.CODE_LIFE,
        )
    )
    return code


def consume(purpose: Purpose, address: str, code: str, *, bound_to: str = "") -> Verdict:
    """Try a code inside the caller's transaction, which must commit even if it is wrong: the try is spent."""
    now, key = clock.utc_now(), canonical(address)
    row = next(iter(_open_codes(purpose, key, now)), None)
    if row is None:
        return Verdict(right=False)
    row.tries_left -= 1
    if hmac.compare_digest(row.code_hash, _hash(purpose, key, "".join(code.split()), bound_to)):
        row.used_at, row.tries_left = now, 0
        return Verdict(right=True)
    return Verdict(right=False, tries_left=row.tries_left)


@write_transaction
def purge() -> None:
    """Delete codes that ended long ago; they only count for the daily cap."""
    old = clock.utc_now() - rules.CODES_KEPT
    db.session.execute(delete(VerificationCode).where(VerificationCode.created_at < old))


def _open_codes(purpose: Purpose, key: str, now: dt.datetime) -> list[VerificationCode]:
    query = (
        select(VerificationCode)
        .where(
            VerificationCode.address == key,
            VerificationCode.purpose == purpose.value,
            VerificationCode.used_at.is_(None),
            VerificationCode.tries_left > 0,
            VerificationCode.expires_at > now,
        )
        .order_by(VerificationCode.id.desc())
        .with_for_update()
    )
    return list(db.session.scalars(query))


def _hold_to_caps(purpose: Purpose, key: str, now: dt.datetime) -> None:
    to_address = VerificationCode.address == key
    pause = dt.timedelta(seconds=rules.CODE_RESEND_SECONDS)
    if _made_since(now - pause, to_address, VerificationCode.purpose == purpose.value):
        sentence = _(
            "A code was asked for less than a minute ago. Look into your mail, or wait a minute and ask again."
        )
        raise TooMany(sentence, code="code_too_soon", retry_after_seconds=rules.CODE_RESEND_SECONDS)
    if _made_since(now - dt.timedelta(days=1), to_address) >= rules.CODES_A_DAY:
        sentence = _("Too many codes were asked for with this address. Try again tomorrow.")
        raise TooMany(sentence, code="code_cap_address", retry_after_seconds=24 * 3600)
    if _made_since(now - dt.timedelta(hours=1)) >= rules.CODES_AN_HOUR_IN_ALL:
        sentence = _("Too many codes are being asked for at the moment. Try again in an hour.")
        raise TooMany(sentence, code="code_cap_all", retry_after_seconds=3600)


def _made_since(moment: dt.datetime, *conditions: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(VerificationCode)
    return db.session.scalar(query.where(VerificationCode.created_at > moment, *conditions)) or 0


def _hash(purpose: Purpose, key: str, code: str, bound_to: str) -> str:
    """Return a keyed hash bound to purpose and address: a stolen table does not give codes away."""
    secret = current_settings().secret_key.get_secret_value().encode()
    text = f"verification-code\0{purpose.value}\0{key}\0{bound_to}\0{code}".encode()
    return hmac.new(secret, text, hashlib.sha256).hexdigest()
