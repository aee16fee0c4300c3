"""User names and display names: checks and canonical forms."""

from __future__ import annotations

import unicodedata

from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from webapp.accounts import rules
from webapp.errors import Conflict, Invalid


def checked_username(name: str) -> str:
    """Return a user name as it is shown; raises Invalid for one that cannot be."""
    name = unicodedata.normalize("NFKC", name).strip()
    longest = max(len(name), len(canonical_username(name)))  # ß is looked up as ss
    if len(name) < rules.USERNAME_MIN_LENGTH or longest > rules.USERNAME_MAX_LENGTH:
        sentence = _(
            "A user name has %(least)s to %(most)s characters.",
            least=rules.USERNAME_MIN_LENGTH,
            most=rules.USERNAME_MAX_LENGTH,
        )
        raise Invalid(sentence, field="username")
    if not rules.USERNAME_PATTERN.fullmatch(name):
        raise Invalid(_("Use letters, digits, dots, hyphens and underscores."), field="username")
    return name


def canonical_username(name: str) -> str:
    """Return the form by which a user name is looked up."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def checked_display_name(name: str) -> str:
    """Return a display name without control characters; raises Invalid for an empty or long one."""
    name = " ".join("".join(c for c in name if unicodedata.category(c)[0] != "C" or c == " ").split())
    if not name:
        raise Invalid(_("Enter a name."), field="display_name")
    if len(name) > rules.DISPLAY_NAME_MAX_LENGTH:
        sentence = _("A name has at most %(most)s characters.", most=rules.DISPLAY_NAME_MAX_LENGTH)
        raise Invalid(sentence, field="display_name")
    return name


def taken(error: IntegrityError) -> Conflict | IntegrityError:
    """Return the refusal that a violated unique constraint stands for, or the error itself for another one."""
    text = str(error.orig)
    if "username_canonical" in text:
        return Conflict(
            _("This user name is taken. Choose another one."), field="username", code="username_taken"
        )
    if "email_canonical" in text:
        sentence = _("That code is not right or no longer works. Ask for a new one.")
        return Conflict(sentence, field="code", code="code_dead")
    return error


def taken_for_administrators(error: IntegrityError) -> Conflict | IntegrityError:
    """Return the refusal for somebody who may know of all accounts: an address that is taken is told as well."""
    if "email_canonical" in str(error.orig):
        return Conflict(
            _("There is an account with this address already."), field="email", code="email_taken"
        )
    return taken(error)
