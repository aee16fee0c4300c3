"""The access matrix of the API, as `table.py` is that of the pages: one row a route.

The audience is the one of the route's contract, said a second time. `thing` names the maker of what the address names
by id; a user's things belong to Lin Yue. `body`: what is sent; it must fit where there is a thing, so that it is the
thing that is not found. `ends`: the token works no more after the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from webapp.web.api import ANYBODY, OWNER, Audience


@dataclass(frozen=True, slots=True)
class ApiRow:
    """What is expected of one route; `may_be` as in `table.Row`."""

    audience: Audience
    thing: str = ""
    ends: bool = False
    may_be: frozenset[int] = frozenset()
    body: Mapping[str, Any] = field(default_factory=dict)


def row(
    audience: Audience,
    thing: str = "",
    *,
    ends: bool = False,
    may_be: tuple[int, ...] = (),
    body: Mapping[str, Any] | None = None,
) -> ApiRow:
    """Return a row."""
    return ApiRow(audience, thing, ends, frozenset(may_be), body or {})


ACCOUNTS: Final = {
    "api_user.login": row(ANYBODY),
    "api_user.logout": row(OWNER, ends=True),
}

API_MATRIX: Final[dict[str, ApiRow]] = {**ACCOUNTS}
