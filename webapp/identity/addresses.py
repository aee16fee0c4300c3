"""E-mail addresses: one canonical form an address, so that tricks with case or Unicode make no second account."""

from __future__ import annotations

from email_validator import EmailNotValidError, ValidatedEmail, validate_email
from flask_babel import gettext as _

from webapp.errors import Invalid
from webapp.identity.rules import EMAIL_MAX_LENGTH


def checked(address: str, *, field: str = "email") -> str:
    """Return the address as mail is sent to it, all in ASCII; raises Invalid for anything but exactly one address."""
    parsed = _parsed(address)
    if parsed is None:
        sentence = _("This is not an e-mail address. It looks like name@example.com.")
        raise Invalid(sentence, field=field, code="email_invalid")
    sent_to = f"{parsed.local_part}@{parsed.ascii_domain}"
    if len(sent_to) > EMAIL_MAX_LENGTH:
        raise Invalid(_("This e-mail address is too long."), field=field, code="email_invalid")
    return sent_to


def canonical(address: str) -> str:
    """Return the form by which an address is looked up: in lower case, and nothing else is taken for equal.

    Case-folding would merge addresses of different people (ß and ss). What is not an address has the empty form,
    which is nobody's.
    """
    parsed = _parsed(address)
    return f"{parsed.local_part}@{parsed.ascii_domain}".lower() if parsed else ""


def _parsed(address: str) -> ValidatedEmail | None:
    """Return the parts of an address; letters beyond ASCII are possible in the domain only, which has an ASCII form."""
    try:
        return validate_email(
            address.strip(),
            strict=True,
            check_deliverability=False,
            allow_smtputf8=False,
            allow_display_name=False,
        )
    except EmailNotValidError:
        return None
