"""Answers as OpenAI's clients expect them: whole, in chunks, and as errors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, Literal

from flask import Response, jsonify
from pydantic import BaseModel, ConfigDict

from webapp.errors import AppError
from webapp.lib import clock, ids
from webapp.llm.completions import Completion, Gathered
from webapp.llm.rules import Delta, FinishReason, Usage
from webapp.web.problems import Problem

DONE: Final = b"data: [DONE]\n\n"
_FINISHES: Final[dict[FinishReason, str]] = {"filtered": "content_filter"}
_NO_USE_TO_TRY_AGAIN: Final = frozenset({"provider_auth", "provider_quota"})
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class UsageAnswer(BaseModel):
    """Tokens taken; `estimated` where the provider did not say."""

    model_config = ConfigDict(extra="forbid")

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    estimated: bool | None = None


class MessageAnswer(BaseModel):
    """The answer, or the tools that the model wants to be called."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["assistant"]
    content: str | None
    refusal: None = None
    reasoning_content: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class ChoiceAnswer(BaseModel):
    """The one answer there is."""

    model_config = ConfigDict(extra="forbid")

    index: int
    message: MessageAnswer
    logprobs: None = None
    finish_reason: Literal["stop", "length", "content_filter", "tool_calls"]


class CompletionAnswer(BaseModel):
    """A whole answer."""

    model_config = ConfigDict(extra="forbid")

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChoiceAnswer]
    usage: UsageAnswer


def whole(completion: Completion, gathered: Gathered, model: str) -> dict[str, Any]:
    """Return a whole answer; the completion must be closed."""
    message: dict[str, Any] = {"role": "assistant", "content": gathered.text, "refusal": None}
    if gathered.reasoning:
        message["reasoning_content"] = gathered.reasoning
    if gathered.calls:
        message["content"] = gathered.text or None
        message["tool_calls"] = [gathered.calls[number] for number in sorted(gathered.calls)]
    reason = finish_word(completion.finish_reason)
    return {
        "id": new_id(),
        "object": "chat.completion",
        "created": int(clock.utc_now().timestamp()),
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        "usage": usage_of(completion.usage or Usage(0, 0, estimated=True)),
    }


class Chunks:
    """The chunks of one streamed answer; what stands around the text is made once."""

    def __init__(self, model: str, *, with_usage: bool) -> None:
        head = {
            "id": new_id(),
            "object": "chat.completion.chunk",
            "created": int(clock.utc_now().timestamp()),
        }
        self._head = _to_json({**head, "model": model})[:-1]
        self._usage = ',"usage":null' if with_usage else ""
        start = f'data: {self._head},"choices":[{{"index":0,"delta":'
        end = f',"logprobs":null,"finish_reason":null}}]{self._usage}}}\n\n'
        self._text_start, self._start, self._end = f'{start}{{"content":', start, f"{end}"

    def first(self) -> bytes:
        """Return the chunk that says who speaks."""
        return self._delta({"role": "assistant", "content": ""})

    def of(self, deltas: Iterable[Delta]) -> bytes:
        """Return the chunks for what one read has brought; nothing where that is no part of the answer."""
        parts: list[str] = []
        for delta in deltas:
            if delta.reasoning:
                parts.append(f"{self._start}{_to_json({'reasoning_content': delta.reasoning})}{self._end}")
            if delta.text:
                parts.append(f"{self._text_start}{_to_json(delta.text)}}}{self._end}")
            if delta.tool_calls:
                parts.append(f"{self._start}{_to_json({'tool_calls': delta.tool_calls})}{self._end}")
        return "".join(parts).encode("utf-8", "replace")

    def last(self, reason: FinishReason | None) -> bytes:
        """Return the chunk that says how the answer ended."""
        choice = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish_word(reason)}
        return f'data: {self._head},"choices":[{_to_json(choice)}]{self._usage}}}\n\n'.encode()

    def usage(self, usage: Usage) -> bytes:
        """Return the chunk that says what the answer took; nothing where it was not asked for."""
        if not self._usage:
            return b""
        return f'data: {self._head},"choices":[],"usage":{_to_json(usage_of(usage))}}}\n\n'.encode()

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return f"{self._start}{_to_json(delta)}{self._end}".encode("utf-8", "replace")


def new_id() -> str:
    """Return a name for an answer."""
    return f"chatcmpl-{ids.public_id()}"


def finish_word(reason: FinishReason | None) -> str:
    """Return what OpenAI calls a reason to end."""
    return _FINISHES.get(reason or "stop", reason or "stop")


def usage_of(usage: Usage) -> dict[str, Any]:
    """Return what an answer took."""
    asked, written = usage.prompt_tokens, usage.completion_tokens
    told: dict[str, Any] = {
        "prompt_tokens": asked,
        "completion_tokens": written,
        "total_tokens": asked + written,
    }
    return told | {"estimated": True} if usage.estimated else told


def error_chunk(error: AppError) -> bytes:
    """Return the event that ends a stream which broke; no end marker follows it."""
    told = {"error": error_of(error.status, error.code, error.sentence, None)}
    return f"data: {_to_json(told)}\n\n".encode()


PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "additionalProperties": False,
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}


def problem(found: Problem) -> Response:
    """Return a refusal in OpenAI's form; what does not fit is 400 there, not 422."""
    status = 400 if found.status == 422 else found.status
    name, sentence = next(
        ((name, told[0]) for name, told in found.errors.items() if told), (None, found.sentence)
    )
    message = f"{name}: {sentence}" if name and sentence != found.sentence else found.sentence
    response = jsonify({"error": error_of(status, found.code, message, name)})
    response.status_code = status
    if found.code in _NO_USE_TO_TRY_AGAIN:
        response.headers["x-should-retry"] = "false"
    return response


def error_of(status: int, code: str, message: str, param: str | None) -> dict[str, Any]:
    """Return the error object."""
    return {"message": message, "type": _error_type(status), "param": param, "code": code}


def _error_type(status: int) -> str:
    if status >= 500:
        return "server_error"
    return {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}.get(
        status, "invalid_request_error"
    )
