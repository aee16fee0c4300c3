"""What a call of the OpenAI-compatible door may hold, and the request it becomes.

Checked against OpenAI's reference of chat completions: https://platform.openai.com/docs/api-reference/chat/create.
What says nothing (a penalty of 0, an empty list of tools) is left out, so that programs which always send it can use
every model; what cannot be carried out is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from flask_babel import gettext as _
from pydantic import Field

from webapp.errors import Invalid
from webapp.lib.text import without_lone_surrogates
from webapp.llm.rules import ChatMessage, ChatRequest
from webapp.web.api import Body

MESSAGES_MAX: Final = 1_000
TEXT_MAX_LENGTH: Final = 1_000_000
TOOLS_MAX: Final = 128
STOPS_MAX: Final = 4
NAME_MAX_LENGTH: Final = 120

Text = Annotated[str, Field(max_length=TEXT_MAX_LENGTH)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_MAX_LENGTH)]
Penalty = Annotated[float, Field(ge=-2, le=2)]
Whole = Annotated[int, Field(ge=1, le=10_000_000)]


class Picture(Body):
    """Where a picture is: its address, or the picture itself as a data: URL."""

    url: Text
    detail: Literal["auto", "low", "high"] | None = None


class Part(Body):
    """A part of a message: text, or a picture."""

    type: Literal["text", "image_url", "refusal"]
    text: Text | None = None
    refusal: Text | None = None
    image_url: Picture | None = None


class CalledFunction(Body):
    """What a tool was called with."""

    name: Name
    arguments: Text


class ToolCall(Body):
    """A call of a tool that the model asked for."""

    id: Name
    type: Literal["function"] = "function"
    function: CalledFunction
    index: int | None = None


class Message(Body):
    """A message; what an earlier answer held can be sent back as it came."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Text | Annotated[tuple[Part, ...], Field(max_length=MESSAGES_MAX)] | None = None
    name: Name | None = None
    tool_calls: Annotated[tuple[ToolCall, ...], Field(max_length=TOOLS_MAX)] | None = None
    tool_call_id: Name | None = None
    reasoning_content: Text | None = None
    refusal: Text | None = None
    annotations: tuple[dict[str, Any], ...] | None = None
    audio: None = None
    function_call: None = None


class Function(Body):
    """A function the model may call."""

    name: Name
    description: Text | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Body):
    """A tool."""

    type: Literal["function"]
    function: Function


class ChosenFunction(Body):
    """The name of a function."""

    name: Name


class ChosenTool(Body):
    """The one tool that is to be called."""

    type: Literal["function"]
    function: ChosenFunction


class Schema(Body):
    """What a JSON answer is to look like."""

    name: Name
    description: Text | None = None
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    strict: bool | None = None


class ResponseFormat(Body):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: Schema | None = None


class StreamOptions(Body):
    """What a stream tells beside the answer."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Thinking(Body):
    """Whether the model is to think before it answers, in Zhipu's way."""

    type: Literal["enabled", "disabled"]


class CompletionBody(Body):
    """A call of chat completions."""

    model: Name
    messages: Annotated[tuple[Message, ...], Field(min_length=1, max_length=MESSAGES_MAX)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    max_tokens: Whole | None = None
    max_completion_tokens: Whole | None = None
    n: Annotated[int, Field(ge=1, le=1)] | None = None
    stop: Text | Annotated[tuple[Text, ...], Field(max_length=STOPS_MAX)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    response_format: ResponseFormat | None = None
    tools: Annotated[tuple[Tool, ...], Field(max_length=TOOLS_MAX)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ChosenTool | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    thinking: Thinking | None = None
    enable_thinking: bool | None = None
    # Accepted, and of no consequence here.
    user: Text | None = None
    metadata: dict[str, str] | None = None
    store: Literal[False] | None = None
    logprobs: Literal[False] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=0)] | None = None
    modalities: tuple[Literal["text"], ...] | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    verbosity: Literal["medium"] | None = None


def request_of(body: CompletionBody) -> ChatRequest:
    """Return the request; raises Invalid for messages that make no sense together."""
    return ChatRequest(
        model=body.model,
        messages=tuple(_messages(body.messages)),
        temperature=body.temperature,
        top_p=body.top_p,
        max_tokens=body.max_completion_tokens or body.max_tokens,
        thinking=_thinking(body),
        options=_options(body),
    )


def _messages(messages: Iterable[Message]) -> Iterable[ChatMessage]:
    for number, message in enumerate(messages):
        place = f"messages.{number}"
        if message.content is None and not message.tool_calls:
            raise Invalid(_("Fill this in."), field=f"{place}.content")
        if message.role == "tool" and not message.tool_call_id:
            raise Invalid(_("Fill this in."), field=f"{place}.tool_call_id")
        text, parts = _content(message.content, place)
        fields: dict[str, Any] = {}
        if parts is not None:
            fields["content"] = parts
        elif message.content is None:
            fields["content"] = None
        for name in ("name", "tool_call_id"):
            if (value := getattr(message, name)) is not None:
                fields[name] = value
        if message.tool_calls:
            fields["tool_calls"] = [
                {"id": call.id, "type": call.type, "function": call.function.model_dump()}
                for call in message.tool_calls
            ]
        role = "system" if message.role == "developer" else message.role
        yield ChatMessage(role, text, fields)


def _content(content: str | tuple[Part, ...] | None, place: str) -> tuple[str, list[dict[str, Any]] | None]:
    """Return the text of a message, and its parts where one of them is a picture: text alone is one text."""
    if content is None or isinstance(content, str):
        return without_lone_surrogates(content or ""), None
    for number, part in enumerate(content):
        if getattr(part, part.type) is None:
            raise Invalid(_("Fill this in."), field=f"{place}.content.{number}.{part.type}")
    text = "".join(part.text or part.refusal or "" for part in content)
    if all(part.type != "image_url" for part in content):
        return text, None
    return text, [part.model_dump(exclude_none=True) for part in content]


def _thinking(body: CompletionBody) -> bool | None:
    return body.thinking.type == "enabled" if body.thinking is not None else body.enable_thinking


def _options(body: CompletionBody) -> dict[str, Any]:
    """Return what is passed on as it is: that which says something."""
    options: dict[str, Any] = {
        "stop": [body.stop] if isinstance(body.stop, str) else list(body.stop or ()),
        "seed": body.seed,
        "presence_penalty": body.presence_penalty or None,
        "frequency_penalty": body.frequency_penalty or None,
        "logit_bias": body.logit_bias,
        "reasoning_effort": body.reasoning_effort,
    }
    if body.response_format is not None and body.response_format.type != "text":
        options["response_format"] = body.response_format.model_dump(exclude_none=True, by_alias=True)
    if body.tools:
        options["tools"] = [tool.model_dump(exclude_none=True) for tool in body.tools]
        choice = body.tool_choice
        options["tool_choice"] = choice.model_dump() if isinstance(choice, ChosenTool) else choice
        options["parallel_tool_calls"] = None if body.parallel_tool_calls else body.parallel_tool_calls
    elif body.tool_choice == "required" or isinstance(body.tool_choice, ChosenTool):
        raise Invalid(_("There are no tools to choose from."), field="tool_choice")
    return {
        name: value for name, value in options.items() if value is not None and value != [] and value != {}
    }
