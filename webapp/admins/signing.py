"""Signing in as an administrator, in one step or two, and out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select

from webapp.admins.accounts import find_admin
from webapp.admins.models import Admin
from webapp.admins.rules import AdminState
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.errors import Invalid
from webapp.identity import service as identity
from webapp.identity.rules import LinkPurpose, Outcome, Realm
from webapp.lib import clock


@dataclass(frozen=True, slots=True)
class SecondStepNeeded:
    """The password was right; the token goes with the code that is asked for now."""

    token: str


SignIn = identity.Accepted | SecondStepNeeded


def log_in(*, login: str, password: str, client: identity.Client) -> SignIn:
    """Sign in by name or address and password; the refusal is the same whatever was wrong.

    Raises TooMany after too many tries, whether there is such an administrator or not.
    """
    admin = find_admin(login)
    stored, state = (admin.password_hash, admin.state) if admin else (None, "")
    attempt = identity.begin_attempt(Realm.ADMIN, name=login, subject=admin, client=client)
    right = identity.password_matches(password, stored)
    if admin is None or stored is None or not right or state != AdminState.ACTIVE.value:
        raise _refused(attempt, Outcome.NOT_ALLOWED if right else Outcome.WRONG_PASSWORD)
    new_hash = identity.hashed_password(password) if identity.needs_new_hash(stored) else None
    outcome = _after_password(attempt, admin, stored, new_hash)
    if outcome is None:
        raise _refused(attempt, Outcome.NOT_ALLOWED)
    return outcome


def log_in_with_code(*, token: str, code: str, client: identity.Client) -> identity.Accepted:
    """Take the second step, with a code of the authenticator app or a recovery code.

    Raises Invalid for a wrong code, and with the code `step_expired` where signing in has to begin again.
    """
    attempt, step = identity.resume_attempt(Realm.ADMIN, token, code, client=client, load=_by_id)
    accepted = _after_code(attempt, attempt.subject, step, token, code)
    if accepted is None:
        identity.refuse_attempt(attempt, Outcome.WRONG_CODE)
        raise Invalid(_("That code is not right. Enter the one shown now."), field="code", code="code_wrong")
    return accepted


def needs_second_factor(admin: Admin) -> bool:
    """Tell whether the administrator has to set up two-step sign-in before anything else."""
    required = current_settings().second_factor_for_admins
    return required and not identity.second_factor_is_on(Realm.ADMIN, admin.id)


def count_without_second_factor() -> int:
    """Return how many administrators have to set up two-step sign-in and have not; none where nobody has to."""
    if not current_settings().second_factor_for_admins:
        return 0
    numbers = db.session.scalars(select(Admin.id).where(Admin.state == AdminState.ACTIVE.value)).all()
    return len(set(numbers) - identity.with_second_factor(Realm.ADMIN, numbers))


@write_transaction
def log_out(admin: Admin, session_id: int) -> None:
    """End the session."""
    identity.end_session(session_id)
    audit.record(Event.ADMIN_SIGNED_OUT, actor=admin)


@write_transaction
def _after_password(
    attempt: identity.Attempt, admin: Admin, checked_hash: str, new_hash: str | None
) -> SignIn | None:
    """Go on, unless the password was changed or the account disabled while the password was checked."""
    if admin.password_hash != checked_hash or admin.state != AdminState.ACTIVE.value:
        return None
    if new_hash is not None:
        admin.password_hash = new_hash
    if identity.second_factor_is_on(Realm.ADMIN, admin.id):
        return SecondStepNeeded(identity.ask_second_step(attempt, keep=False, stamp=_stamp(admin)))
    return _accept(attempt, admin)


@write_transaction
def _after_code(
    attempt: identity.Attempt, admin: Admin, step: identity.SecondStep, token: str, code: str
) -> identity.Accepted | None:
    if admin.state != AdminState.ACTIVE.value or step.stamp != _stamp(admin):
        return None
    passed = identity.check_second_factor(Realm.ADMIN, admin.id, code)
    if passed is None or identity.links.use(LinkPurpose.SECOND_STEP, token) is None:
        return None
    if passed.recovery_left is not None:
        audit.record(Event.ADMIN_RECOVERY_CODE_USED, actor=admin, after={"left": passed.recovery_left})
    return _accept(attempt, admin)


def _accept(attempt: identity.Attempt, admin: Admin) -> identity.Accepted:
    admin.last_login_at = clock.utc_now()
    return identity.accept_attempt(attempt, keep=False)


def _refused(attempt: identity.Attempt, outcome: Outcome) -> Invalid:
    identity.refuse_attempt(attempt, outcome)
    return Invalid(_("That name and password do not match."), field="password", code="login_refused")


def _stamp(admin: Admin) -> str:
    """Return what changes with the password, so that the second step ends with it."""
    return hashlib.sha256(admin.password_hash.encode()).hexdigest()


def _by_id(admin_id: int) -> Admin | None:
    return db.session.get(Admin, admin_id)
