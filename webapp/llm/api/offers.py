"""The models that are offered, and what was used."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from pydantic import Field

from webapp.identity.rules import Scope
from webapp.lib import clock
from webapp.llm import reports, service
from webapp.web.api import Answer, Query, Routes, caller, token

routes = Routes("llm", tag="Models")
TEXT_MAX_LENGTH: Final = 200_000
FAILURES: Final = (400, 404, 502, 503, 504)


class ModelAnswer(Answer):
    """A model; `thinking` tells whether it can think first, `takes` which options of chat completions it knows."""

    name: str
    label: str
    provider: str
    thinking: bool
    available: bool
    default: bool
    hint: str
    takes: list[str]


class ModelsAnswer(Answer):
    """The models that are offered."""

    items: list[ModelAnswer]


class UsageQuery(Query):
    """Of how many days."""

    days: Annotated[int, Field(ge=1, le=366)] = 30


class OwnUsageAnswer(Answer):
    """What you used; the cost in millionths of the currency, null where no price is known."""

    since: dt.datetime
    answers: int
    tokens: int
    cost_micros: int | None
    currency: str


@routes.get("/llm/models", token(Scope.MODELS), answer=ModelsAnswer)
def models() -> ModelsAnswer:
    """List the models that are offered, those that cannot be asked just now among them."""
    default = service.default_model()
    return ModelsAnswer(
        items=[
            ModelAnswer(
                name=each.name,
                label=each.label,
                provider=each.provider,
                thinking=each.thinking,
                available=each.available,
                default=default is not None and each.name == default.name,
                hint=each.hint,
                takes=sorted(service.takes(each)),
            )
            for each in service.models()
        ]
    )


@routes.get("/llm/usage", token(Scope.MODELS), query=UsageQuery, answer=OwnUsageAnswer)
def usage(query: UsageQuery) -> OwnUsageAnswer:
    """Tell what you used, on the pages and over the API together."""
    since = clock.utc_now() - dt.timedelta(days=query.days)
    own = reports.usage_of_users([caller().person.id], since).get(caller().person.id)
    return OwnUsageAnswer(
        since=since,
        answers=own.answers if own else 0,
        tokens=own.tokens if own else 0,
        cost_micros=own.cost_micros if own else None,
        currency=service.currency(),
    )
