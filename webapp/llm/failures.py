"""What a provider's failure is to a program that asked: a refusal with a status, a stable reason and a sentence."""

from __future__ import annotations

from typing import ClassVar, Final

from flask_babel import gettext as _

from webapp.errors import AppError, NotSignedIn, TooMany, Unavailable
from webapp.llm.errors import ProviderError, ProviderErrorKind

BUSY_SECONDS: Final = 10  # where a provider that is busy does not say when to come back


class Refused(AppError):
    """The provider refused what was asked."""

    status: ClassVar[int] = 400


class ProviderFailed(AppError):
    """The provider failed, or cannot be used as it is set up here."""

    status: ClassVar[int] = 502


class ProviderSilent(AppError):
    """The provider did not answer in time."""

    status: ClassVar[int] = 504


_CLASSES: Final[dict[ProviderErrorKind, type[AppError]]] = {
    ProviderErrorKind.AUTH: ProviderFailed,
    ProviderErrorKind.QUOTA: ProviderFailed,
    ProviderErrorKind.RATE_LIMITED: TooMany,
    ProviderErrorKind.TIMEOUT: ProviderSilent,
    ProviderErrorKind.STALLED: ProviderSilent,
    ProviderErrorKind.UNAVAILABLE: ProviderFailed,
    ProviderErrorKind.REJECTED: Refused,
    ProviderErrorKind.PROTOCOL: ProviderFailed,
    ProviderErrorKind.TRUNCATED: ProviderFailed,
}


def refusal_of(error: ProviderError) -> AppError:
    """Return the refusal; what the provider said itself stays in the log."""
    wait = error.retry_after_seconds
    if wait is None and error.kind is ProviderErrorKind.RATE_LIMITED:
        wait = BUSY_SECONDS
    seconds = None if wait is None else max(1, round(wait))
    return _CLASSES[error.kind](_sentence(error.kind), code=error.kind.value, retry_after_seconds=seconds)


def ended_here(*, halted: bool) -> AppError:
    """Return the refusal of an answer that was ended from this side: the process goes down, or the token was revoked.

    The third reason is that the program has left: then nobody hears it.
    """
    if not halted:
        sentence = _("This token does not work here: it may be revoked, expired or mistyped.")
        return NotSignedIn(sentence, code="token_invalid")
    return Unavailable(_("The server is restarting. Send this again in a moment."), retry_after_seconds=2)


def _sentence(kind: ProviderErrorKind) -> str:
    sentences: dict[ProviderErrorKind, str] = {
        ProviderErrorKind.AUTH: _("The provider does not accept our key. An administrator has to renew it."),
        ProviderErrorKind.QUOTA: _("There is no credit left with the provider. Use another model meanwhile."),
        ProviderErrorKind.RATE_LIMITED: _("The provider is busy. Try again shortly, or use another model."),
        ProviderErrorKind.TIMEOUT: _("The provider did not answer in time."),
        ProviderErrorKind.STALLED: _("The provider stopped in the middle of the answer."),
        ProviderErrorKind.UNAVAILABLE: _("The provider cannot be reached, or fails."),
        ProviderErrorKind.REJECTED: _("The provider refused this request. It may be too long for the model."),
        ProviderErrorKind.PROTOCOL: _("The provider sent something that cannot be read."),
        ProviderErrorKind.TRUNCATED: _("The answer broke off before its end."),
    }
    return sentences[kind]
