"""For whom an API route is, and who calls it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from flask import g


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom a route is; what is not said here, nobody may.

    `scope`: what an API token must be allowed; empty means that no API token will do, only a login token.
    `permission`: what the role of an administrator must grant; empty means that every administrator may.
    `unfinished`: administrators may who have yet to set up their second factor.
    """

    realm: Literal["", "user", "admin"]
    scope: str = ""
    permission: str = ""
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls: a user or an administrator, by an API token (`token_id`) or a login token (`session_id`).

    `still_holds` tells, long after the request and inside an application context, whether the token does: for streams.
    `prove` takes a password, or a code where two-step sign-in is on, and raises where it is not right.
    """

    realm: Literal["user", "admin"]
    person: Any
    is_fresh: bool
    still_holds: Callable[[], bool]
    prove: Callable[[str], None]
    session_id: int | None = None
    token_id: int | None = None

    @property
    def key(self) -> str:
        """The name under which what the caller did is kept."""
        return f"{self.realm}:{self.person.id}"


ANYBODY: Final = Audience("")
OWNER: Final = Audience(
    "user"
)  # the security of an account is for whoever signed in, not for API tokens (I5)


def token(scope: str) -> Audience:
    """Return users with a login token, or with an API token of that scope."""
    return Audience("user", scope=str(scope))


def administrator(permission: str = "", *, unfinished: bool = False) -> Audience:
    """Return administrators with a permission, or all of them; they have login tokens only."""
    return Audience("admin", permission=str(permission), unfinished=unfinished)


def caller() -> Caller:
    """Return who calls; there is somebody in every route that is not for anybody."""
    found: Caller = g.api_caller
    return found
