"""The refusals a person or program can expect, each with a sentence fit to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar


class AppError(Exception):
    """An expected refusal.

    `sentence` is shown as it is: it says what happened, what is kept and what to do. `code` is a stable
    snake_case reason for programs. `field` names the input at fault, if there is one; where there are several,
    `errors` holds the sentences of each.
    """

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "refused"

    def __init__(
        self,
        sentence: str,
        *,
        code: str | None = None,
        field: str | None = None,
        retry_after_seconds: int | None = None,
        errors: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code or self.default_code
        self.field = field
        self.retry_after_seconds = retry_after_seconds
        self.errors = errors or ({field: [sentence]} if field else {})


class Invalid(AppError):
    """The input does not fit; `field` says which part."""

    status = 422
    default_code = "invalid"


class NotSignedIn(AppError):
    """Nobody is signed in, and this needs somebody."""

    status = 401
    default_code = "not_signed_in"


class NotAllowed(AppError):
    """The person is known and may not do this."""

    status = 403
    default_code = "not_allowed"


class Unsupported(AppError):
    """The content is of a kind that is not read here."""

    status = 415
    default_code = "unsupported_media_type"


class NotFound(AppError):
    """There is no such thing, or none that this person may know of."""

    status = 404
    default_code = "not_found"


class Conflict(AppError):
    """The state of the data does not permit this, such as a name that is taken."""

    status = 409
    default_code = "conflict"


class TooMany(AppError):
    """A limit is reached; `retry_after_seconds` says when to come back."""

    status = 429
    default_code = "too_many"


class Unavailable(AppError):
    """Something this needs does not answer at the moment."""

    status = 503
    default_code = "unavailable"
