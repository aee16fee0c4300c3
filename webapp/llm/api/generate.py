"""Single questions to models, and what was used: the routes below /api/llm."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from pydantic import Field

from webapp.identity.rules import Scope
from webapp.lib import clock
from webapp.lib.text import without_lone_surrogates
from webapp.llm import completions, reports, service
from webapp.llm.api.reading import gather
from webapp.llm.rules import ChatMessage, ChatRequest, Usage
from webapp.web.api import Answer, Body, Query, Routes, caller, token

routes = Routes("llm", tag="Models")
TEXT_MAX_LENGTH: Final = 200_000
FAILURES: Final = (400, 404, 502, 503, 504)


class GenerateBody(Body):
    """A question to a model."""

    message: Annotated[str, Field(min_length=1, max_length=TEXT_MAX_LENGTH, description="what is asked")]
    prompt: Annotated[
        str,
        Field(max_length=TEXT_MAX_LENGTH, description="how the model is to answer (the system's message)"),
    ] = ""
    model: Annotated[str | None, Field(max_length=120, description="left out: the model of a new chat")] = (
        None
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    thinking: Annotated[bool | None, Field(description="whether a model that can think first is to")] = None


class UsageAnswer(Answer):
    """Tokens taken; `estimated` where the provider did not say."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool


class GenerateAnswer(Answer):
    """A whole answer; `finish_reason` is length where it was cut off, filtered where the provider held it back."""

    text: str
    reasoning: str
    model: str
    finish_reason: str
    usage: UsageAnswer


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


@routes.post(
    "/llm/generate",
    token(Scope.MODELS),
    body=GenerateBody,
    answer=GenerateAnswer,
    limit="model_call",
    idempotent=True,
    refusals=FAILURES,
)
def generate(body: GenerateBody) -> GenerateAnswer:
    """Answer a question, whole.

    With an Idempotency-Key the answer is kept for a day, so that a repeat costs nothing; without one it is kept nowhere.
    """
    request = request_of(body)
    completion = completions.complete(caller().person.id, request)
    gathered = gather(completion)
    usage = completion.usage or Usage(0, 0, estimated=True)
    return GenerateAnswer(
        text=gathered.text,
        reasoning=gathered.reasoning,
        model=request.model,
        finish_reason=completion.finish_reason or "stop",
        usage=UsageAnswer(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            estimated=usage.estimated,
        ),
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


def request_of(body: GenerateBody) -> ChatRequest:
    """Return the request; raises NotFound or Unavailable where there is no such model, or none at all."""
    model = service.chosen_model(body.model)
    prompt = without_lone_surrogates(body.prompt)
    system = (ChatMessage("system", prompt),) if prompt.strip() else ()
    return ChatRequest(
        model=model.name,
        messages=(*system, ChatMessage("user", without_lone_surrogates(body.message))),
        temperature=body.temperature,
        top_p=body.top_p,
        max_tokens=body.max_tokens,
        thinking=body.thinking if model.thinking else None,
    )
