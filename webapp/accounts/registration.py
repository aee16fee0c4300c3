"""Registering: a code to the address, then the account; what is told is the same whether there is one already."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from webapp.accounts import letters, names
from webapp.accounts.models import User
from webapp.accounts.policy import check_password
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.errors import Invalid, NotAllowed
from webapp.identity import service as identity
from webapp.identity.rules import Purpose
from webapp.lib import clock


def ask_register_code(email: str) -> None:
    """Mail a code to an address that is new here, and a notice to one that has an account.

    Raises TooMany where codes are asked for too often, whether there is an account or not.
    """
    _check_open()
    address = identity.checked_address(email)
    _check_domain(address)
    _queue_code(address, letters.reader_locale())


def register(*, email: str, username: str, password: str, code: str, timezone: str | None = None) -> User:
    """Create an account with a code that was mailed; raises Invalid or Conflict beside the field at fault."""
    _check_open()
    address = identity.checked_address(email)
    _check_domain(address)
    name = names.checked_username(username)
    check_password(password, address, name)
    password_hash = identity.hashed_password(password)
    try:
        verdict, user = _create(address, name, password_hash, code, timezone)
    except IntegrityError as error:
        raise names.taken(error) from None
    verdict.require()
    if user is None:
        raise AssertionError("a right code makes an account")
    return user


def add_user(*, email: str, username: str, password: str, display_name: str = "") -> User:
    """Add an account without a code; for the command line and for tests."""
    address, name = identity.checked_address(email), names.checked_username(username)
    check_password(password, address, name)
    user = _new_user(address, name, identity.hashed_password(password))
    user.display_name = display_name or name
    _add(user)
    return user


def find_by_address(address: str) -> User | None:
    """Return the user with that address."""
    key = identity.canonical_address(address)
    return db.session.scalar(select(User).where(User.email_canonical == key))


@write_transaction
def _add(user: User) -> None:
    db.session.add(user)
    db.session.flush()
    audit.record(Event.USER_REGISTERED, actor=audit.SYSTEM, target=user)


@write_transaction
def _queue_code(address: str, locale: str) -> None:
    code = identity.issue_code(Purpose.REGISTER, address)
    owner = find_by_address(address)
    if owner is None:
        letters.queue_code(address, code, Purpose.REGISTER, locale=locale)
    else:
        letters.queue_notice(owner, "already_registered")
    after = {"purpose": Purpose.REGISTER.value, "address": address}
    audit.record(Event.CODE_SENT, actor=audit.STRANGER, after=after)


@write_transaction
def _create(
    address: str, name: str, password_hash: str, code: str, timezone: str | None
) -> tuple[identity.Verdict, User | None]:
    """Spend a try and, with the right code, add the user; a name that is taken gives the try back."""
    verdict = identity.consume_code(Purpose.REGISTER, address, code)
    if not verdict.right:
        after = {"purpose": Purpose.REGISTER.value, "address": address}
        audit.record(Event.CODE_REFUSED, actor=audit.STRANGER, after=after)
        return verdict, None
    user = _new_user(address, name, password_hash)
    user.locale, user.timezone, user.verified_at = letters.reader_locale(), timezone, clock.utc_now()
    db.session.add(user)
    db.session.flush()
    audit.record(Event.USER_REGISTERED, actor=user, target=user)
    return verdict, user


def _new_user(address: str, name: str, password_hash: str) -> User:
    return User(
        email=address,
        email_canonical=identity.canonical_address(address),
        username=name,
        username_canonical=names.canonical_username(name),
        display_name=name,
        password_hash=password_hash,
    )


def _check_open() -> None:
    settings = current_settings()
    if not settings.registration_open or not settings.can_mail:
        raise NotAllowed(_("Registration is closed here. Ask the people who run this site for an account."))


def _check_domain(address: str) -> None:
    """Raise Invalid where only some domains may register and this is none of them, whoever has an account."""
    allowed = {domain.strip().lstrip("@").casefold() for domain in current_settings().registration_domains}
    if allowed and address.rpartition("@")[2].casefold() not in allowed:
        sentence = _(
            "Only addresses of these domains can register: %(domains)s.", domains=", ".join(sorted(allowed))
        )
        raise Invalid(sentence, field="email", code="domain_not_allowed")
