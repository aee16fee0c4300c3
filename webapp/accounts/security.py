"""What somebody does for the security of their own account: second step, devices, tokens, address."""

from __future__ import annotations

from collections.abc import Collection

from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from webapp.accounts import access, letters, names
from webapp.accounts.models import User
from webapp.accounts.registration import find_by_address
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.errors import Conflict, Invalid
from webapp.identity import service as identity
from webapp.identity.models import ApiToken, LoginSession
from webapp.identity.rules import DISOWN_LINK_LIFE, LinkPurpose, Purpose, Realm
from webapp.lib import clock


@write_transaction
def turn_two_step_on(user: User, code: str) -> list[str]:
    """Ask for a second step from now on; returns the recovery codes, which are shown once."""
    codes = identity.turn_totp_on(Realm.USER, user.id, code)
    audit.record(Event.USER_SECOND_FACTOR_ON, actor=user, target=user)
    letters.queue_notice(user, "two_step_on")
    return codes


@write_transaction
def turn_two_step_off(user: User) -> None:
    """Ask for the password alone from now on."""
    if identity.turn_totp_off(Realm.USER, user.id):
        audit.record(Event.USER_SECOND_FACTOR_OFF, actor=user, target=user)
        letters.queue_notice(user, "two_step_off")


@write_transaction
def renew_recovery_codes(user: User) -> list[str]:
    """Replace the recovery codes; returns the new ones, which are shown once."""
    if not identity.second_factor_is_on(Realm.USER, user.id):
        raise Conflict(_("Turn two-step sign-in on first."), code="totp_off")
    codes = identity.new_recovery_codes(Realm.USER, user.id)
    audit.record(Event.USER_RECOVERY_CODES_MADE, actor=user, target=user)
    return codes


@write_transaction
def end_device(user: User, session_id: str) -> LoginSession:
    """Sign out one of the person's own devices; raises NotFound for another's."""
    session = identity.end_one_session(Realm.USER, user.id, session_id)
    audit.record(Event.USER_SESSION_ENDED, actor=user, target=user, after={"address": session.address})
    return session


@write_transaction
def end_other_devices(user: User, session_id: int | None) -> int:
    """Sign out all devices but this one; returns how many. Tokens stay."""
    ended = identity.end_all_sessions(Realm.USER, user.id, but=session_id)
    audit.record(Event.USER_SESSIONS_ENDED, actor=user, target=user, after={"sessions": ended})
    return ended


@write_transaction
def create_token(
    user: User, *, name: str, scopes: Collection[str], days: int, networks: str
) -> tuple[str, ApiToken]:
    """Make an API token and tell by mail; returns it with its row, to be shown once."""
    raw, row = identity.create_token(user, name=name, scopes=scopes, days=days, networks=networks)
    letters.queue_notice(user, "token_created", detail=row.name)
    return raw, row


def ask_new_address(user: User, email: str) -> None:
    """Mail a code to an address that is to be the account's; what is told is the same where it is another's.

    Raises TooMany where codes are asked for too often.
    """
    address = identity.checked_address(email)
    if identity.canonical_address(address) == user.email_canonical:
        raise Invalid(_("This is your address already."), field="email", code="email_same")
    _ask_new_address(user, address)


def confirm_new_address(user: User, code: str, *, session_id: int | None) -> None:
    """Change the address with the code that was mailed there; ends other sessions, tells the old address how to object."""
    if not user.pending_email:
        raise Invalid(_("Enter the new address first."), field="email", code="email_missing")
    try:
        _change_address(user, code, session_id).require()
    except IntegrityError as error:
        raise names.taken(error) from None


@write_transaction
def forget_new_address(user: User) -> None:
    """Leave the address as it is."""
    user.pending_email = None


@write_transaction
def _ask_new_address(user: User, address: str) -> None:
    code = identity.issue_code(Purpose.CHANGE_EMAIL, address, bound_to=user.public_id)
    user.pending_email = address
    withheld = find_by_address(address) is not None or not current_settings().can_mail
    letters.queue_code(address, code, Purpose.CHANGE_EMAIL, locale=letters.reader_locale(), withheld=withheld)
    after = {"purpose": Purpose.CHANGE_EMAIL.value, "address": address}
    audit.record(Event.CODE_SENT, actor=user, target=user, after=after)


@write_transaction
def _change_address(user: User, code: str, session_id: int | None) -> identity.Verdict:
    address, before = user.pending_email or "", user.email
    verdict = identity.consume_code(Purpose.CHANGE_EMAIL, address, code, bound_to=user.public_id)
    if not verdict.right:
        after = {"purpose": Purpose.CHANGE_EMAIL.value, "address": address}
        audit.record(Event.CODE_REFUSED, actor=user, target=user, after=after)
        return verdict
    access.end_all(user, actor=user, but_session=session_id, tokens=False)
    user.email, user.email_canonical = address, identity.canonical_address(address)
    user.pending_email, user.verified_at = None, clock.utc_now()
    db.session.flush()
    token = identity.links.issue(
        LinkPurpose.OBJECT_TO_ADDRESS,
        Realm.USER,
        user.id,
        life=DISOWN_LINK_LIFE,
        data={"email": before, "at": clock.utc_now().isoformat()},
    )
    link = letters.address_of("accounts.object_to_address", token=token)
    letters.queue_notice(user, "email_changed", to=before, link=link)
    letters.queue_notice(user, "email_confirmed")
    audit.record(
        Event.USER_EMAIL_CHANGED, actor=user, target=user, before={"email": before}, after={"email": address}
    )
    return verdict
