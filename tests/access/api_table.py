"""The access matrix of the API, as `table.py` is that of the pages: one row a route.

The audience is the one of the route's contract, said a second time. `thing` names the maker of what the address names
by id; a user's things belong to Lin Yue. `body`: what is sent; it must fit where there is a thing, so that it is the
thing that is not found. `ends`: the token works no more after the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from webapp.identity.rules import Scope
from webapp.web.api import ANYBODY, OWNER, Audience, token


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

_MODELS: Final = token(Scope.MODELS)
_HELLO: Final = [{"role": "user", "content": "Hello"}]
LLM: Final = {
    "api_llm.generate": row(_MODELS, body={"model": "scripted-echo", "message": "Hello"}),
    "api_llm.models": row(_MODELS),
    "api_llm.usage": row(_MODELS),
    "api_openai.complete": row(_MODELS, body={"model": "scripted-echo", "messages": _HELLO}),
    "api_openai.model": row(_MODELS, "model"),
    "api_openai.models": row(_MODELS),
}

API_MATRIX: Final[dict[str, ApiRow]] = {**ACCOUNTS, **LLM}
