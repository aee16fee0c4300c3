"""Single questions: answered whole, or live, which goes on when the connection breaks and can be taken up again."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

from flask import Response, request
from pydantic import Field

from webapp.chat import service
from webapp.chat.api.following import follow_answer
from webapp.chat.live.plain import answer_of
from webapp.identity.rules import Scope
from webapp.lib.text import without_lone_surrogates
from webapp.llm import service as llm
from webapp.llm.rules import ChatMessage, ChatRequest, Usage
from webapp.web.api import Answer, Body, Media, Routes, caller, token
from webapp.web.departures import watched
from webapp.web.requests import current_request_id

routes = Routes("generate", tag="Models")
MODELS: Final = token(Scope.MODELS)
EVENTS: Final = Media("text/event-stream")
FAILURES: Final = (400, 404, 502, 503, 504)
TEXT_MAX_LENGTH: Final = 200_000


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


@routes.post(
    "/llm/generate",
    MODELS,
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
    asked = request_of(body)
    ticket = llm.Ticket(caller().session_id, caller().token_id)
    completion = llm.complete(caller().person.id, asked, ticket)
    with watched(request.environ, completion.abort):
        gathered = llm.gather(completion)
    usage = completion.usage or Usage(0, 0, estimated=True)
    return GenerateAnswer(
        text=gathered.text,
        reasoning=gathered.reasoning,
        model=asked.model,
        finish_reason=completion.finish_reason or "stop",
        usage=UsageAnswer(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            estimated=usage.estimated,
        ),
    )


@routes.post(
    "/llm/generate/stream",
    MODELS,
    body=GenerateBody,
    answer=EVENTS,
    limit="model_call",
    refusals=(404, 503),
)
def stream(body: GenerateBody) -> Response:
    """Answer a question, as the answer is written.

    Server-sent events, each with an id. The answer is written to its end also when the connection breaks: the same call
    with the last id as Last-Event-ID, or a GET of the `events_url` in the first event, goes on after that event. Question
    and answer are kept for a day.
    """
    begun = answer_of(request.headers.get("Last-Event-ID"))
    if begun is not None:
        return follow_answer(begun, once=True)
    asked = request_of(body)
    model = llm.get_model(asked.model)
    llm.check_options(model, asked)
    answer = service.ask_once(
        caller().person, asked, model, client_request_id=_request_id(), request_id=current_request_id()
    )
    return follow_answer(answer.public_id, once=True, begun=True)


@routes.get("/llm/generate/stream/<answer_id>", MODELS, answer=EVENTS, limit="chat_open_stream")
def events(answer_id: str) -> Response:
    """Follow an answer that was asked for with a single question, from Last-Event-ID on."""
    return follow_answer(answer_id, once=True)


@routes.post("/llm/generate/stream/<answer_id>/stop", MODELS)
def stop(answer_id: str) -> None:
    """End an answer that is being written."""
    service.stop_answer(caller().person, answer_id, once=True)


def _request_id() -> str | None:
    """Return what makes a repeat with the same Idempotency-Key the same question."""
    key = request.headers.get("Idempotency-Key")
    return "api-" + hashlib.sha256(key.encode()).hexdigest()[:48] if key else None


def request_of(body: GenerateBody) -> ChatRequest:
    """Return the request; raises NotFound or Unavailable where there is no such model, or none at all."""
    model = llm.chosen_model(body.model)
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
