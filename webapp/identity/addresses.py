"""E-mail addresses: one canonical form an address, so that tricks with case or Unicode make no second account."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _

from webapp.errors import Invalid
from webapp.identity.rules import EMAIL_MAX_LENGTH


def checked(address: str, *, field: str = "email") -> str:
    """Return the address as mail is sent to it; raises Invalid for anything but exactly one address."""
    try:
        parsed = validate_email(address.strip(), check_deliverability=False, allow_display_name=False)
    except EmailNotValidError:
        sentence = _("This is not an e-mail address. It looks like name@example.com.")
        raise Invalid(sentence, field=field, code="email_invalid") from None
    if len(parsed.normalized) > EMAIL_MAX_LENGTH or not parsed.normalized.isprintable():
        raise Invalid(_("This e-mail address is too long."), field=field, code="email_invalid")
    return parsed.normalized


def canonical(address: str) -> str:
    """Return the form by which an address is looked up: domain in ASCII, all of it case-folded."""
    local, _at, domain = address.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode() if domain else ""
    except UnicodeError:
        ascii_domain = domain
    return f"{local.casefold()}@{ascii_domain.casefold()}"
