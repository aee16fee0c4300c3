"""Passwords: what is accepted, and how they are kept (Argon2id, OWASP's m=19 MiB, t=2, p=1)."""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext as _

from webapp.errors import Invalid
from webapp.identity.rules import PASSWORD_MAX_LENGTH
from webapp.lib import offload

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# The hash of no password: checked where there is no account, so that this takes as long as where there is one.
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$nDDpqoLl/AEushm4OGxXFw$EJGTT5n8AWiElgAUydWxCT93UK5yYxFThOq/9fw1RIc"
_SHORTEST_CONTEXT_WORD = 4


def checked(password: str, *, min_length: int, context: tuple[str, ...] = (), field: str = "password") -> str:
    """Return the password; raises Invalid if it is too short, too long, or one of those tried first.

    `context` holds words that are near at hand: the user's name, the address before its @, the site's name.
    """
    normal = normalised(password)
    if len(normal) < min_length:
        sentence = _(
            "Use at least %(count)s characters. A few words in a row are easy to remember.", count=min_length
        )
        raise Invalid(sentence, field=field, code="password_short")
    if len(normal) > PASSWORD_MAX_LENGTH:
        raise Invalid(_("Use at most %(count)s characters.", count=PASSWORD_MAX_LENGTH), field=field)
    folded = normal.casefold()
    if _is_common(folded):
        sentence = _("This password is among those that are tried first. Choose another one.")
        raise Invalid(sentence, field=field, code="password_common")
    if any(_is_near(word, folded, min_length) for word in context):
        sentence = _("This password is too close to a name that everybody can see. Choose another one.")
        raise Invalid(sentence, field=field, code="password_context")
    return password


def hashed(password: str) -> str:
    """Return the hash to be stored; takes about 30 ms, off the event loop."""
    return offload.run(_hasher.hash, _encoded(password))


def matches(password: str, stored: str | None) -> bool:
    """Tell whether the password is the one of the hash; takes as long where there is no hash."""
    result = offload.run(_verify, stored or _NOBODY, _encoded(password[: PASSWORD_MAX_LENGTH * 4]))
    return result and stored is not None


def needs_new_hash(stored: str) -> bool:
    """Tell whether the hash was made with weaker parameters than those of today."""
    return _hasher.check_needs_rehash(stored)


def normalised(password: str) -> str:
    """Return the form that is hashed, so that the same text typed on another system is the same password."""
    return unicodedata.normalize("NFKC", password)


def _encoded(password: str) -> bytes:
    return normalised(password).encode("utf-8", "surrogatepass")


def _verify(stored: str, password: bytes) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _is_near(word: str, folded: str, min_length: int) -> bool:
    """Tell whether a password is little more than a word that is near at hand, however often or with what signs."""
    near, rest = _letters(word), _letters(folded)
    return (
        len(near) >= _SHORTEST_CONTEXT_WORD and near in rest and len(rest.replace(near, "")) < min_length // 2
    )


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, normalised(text).casefold()))


def _is_common(folded: str) -> bool:
    """Tell whether a password is a common one, or a common one with a few digits or signs behind it."""
    stem = folded.rstrip("0123456789!?.@#$*_-")
    return len(set(folded)) < 3 or folded in _common() or (len(folded) - len(stem) <= 4 and stem in _common())


@cache
def _common() -> frozenset[str]:
    """Return the common passwords and words that the zxcvbn package lists: 54,000 of six signs or more, 9,500 of ten."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    lists = (FREQUENCY_LISTS["passwords"], FREQUENCY_LISTS["english_wikipedia"])
    return frozenset(word for words in lists for word in words if len(word) >= 6)
