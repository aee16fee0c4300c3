"""The OpenAI-compatible door: chat completions and models below /v1, for programs made for OpenAI's."""

from __future__ import annotations

from typing import Final

from flask import Response, jsonify, request
from pydantic import BaseModel, ConfigDict

from webapp.identity.rules import Scope
from webapp.llm import completions, service
from webapp.llm.api import openai_answers as answers
from webapp.llm.api.openai_request import CompletionBody, request_of
from webapp.llm.api.reading import streamed
from webapp.llm.rules import ModelInfo
from webapp.web.api import Media, Routes, caller, token
from webapp.web.departures import watched

routes = Routes("openai", tag="OpenAI", prefix="/v1", enveloped=False, problem=answers.PROBLEM)
FAILURES: Final = (400, 404, 502, 503, 504)


class ModelAnswer(BaseModel):
    """A model that can be asked."""

    model_config = ConfigDict(extra="forbid")

    id: str
    object: str
    created: int
    owned_by: str


class ModelsAnswer(BaseModel):
    """The models that can be asked."""

    model_config = ConfigDict(extra="forbid")

    object: str
    data: list[ModelAnswer]


@routes.post(
    "/chat/completions",
    token(Scope.MODELS),
    body=CompletionBody,
    answer=answers.CompletionAnswer,
    also=Media("text/event-stream"),
    limit="model_call",
    refusals=FAILURES,
)
def complete(body: CompletionBody) -> Response:
    """Answer a conversation.

    With `stream` the answer comes in chunks, as server-sent events. A stream that breaks ends with an event that
    holds an `error`, and without `[DONE]`.
    """
    asked = request_of(body)
    ticket = service.Ticket(caller().session_id, caller().token_id)
    completion = completions.complete(caller().person.id, asked, ticket)
    if body.stream:
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        return streamed(completion, answers.Chunks(body.model, with_usage=with_usage))
    with watched(request.environ, completion.abort):
        gathered = completions.gather(completion)
    return jsonify(answers.whole(completion, gathered, body.model))


@routes.get("/models", token(Scope.MODELS), answer=ModelsAnswer)
def models() -> ModelsAnswer:
    """List the models that can be asked."""
    return ModelsAnswer(object="list", data=[_model(each) for each in service.models() if each.available])


@routes.get("/models/<path:model>", token(Scope.MODELS), answer=ModelAnswer, refusals=(404,))
def model(model: str) -> ModelAnswer:
    """Describe one model."""
    return _model(service.get_model(model))


def _model(info: ModelInfo) -> ModelAnswer:
    return ModelAnswer(id=info.name, object="model", created=0, owned_by=info.provider)
