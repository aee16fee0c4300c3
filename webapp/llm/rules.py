"""What is asked of a model and what comes back; plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length", "filtered", "tool_calls"]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation as a provider gets it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request for an answer; what is None is left to the provider."""

    model: str
    messages: tuple[ChatMessage, ...]
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    thinking: bool | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens taken; `estimated` where the provider did not say."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool = False


@dataclass(slots=True)
class Delta:
    """A piece of an answer; `waiting_seconds` tells that the provider asked to wait before the next try."""

    text: str = ""
    reasoning: str = ""
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    waiting_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that can be asked: `name` goes into requests, `label` and `hint` are shown."""

    name: str
    label: str
    provider: str
    thinking: bool = False
    hint: str = ""
    available: bool = True
