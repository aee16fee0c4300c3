"""What is asked of a model and what comes back; plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

FinishReason = Literal["stop", "length", "filtered", "tool_calls"]

ANSWER_MAX_LENGTH: Final = 400_000  # characters of an answer; what is beyond ends it as cut off
ANSWER_MAX_SECONDS: Final = 1_800  # an answer that still runs then is ended as cut off
WAIT_BIN_MS: Final = 50  # how long answers took to begin is counted in bins of that width
LEASE_SECONDS: Final = 20
LEASE_RENEW_SECONDS: Final = 5


class Ending(StrEnum):
    """How an answer for a program ended, as the ledger has it; the same words as a chat's answer."""

    COMPLETE = "complete"
    STOPPED = "stopped"
    LENGTH = "length"
    FILTERED = "filtered"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation as a provider gets it.

    `content` is its text. `fields` is what else goes over the wire in the OpenAI form: a name, calls of tools, the id
    of the call that a tool answers, or a `content` of several parts in the place of the text.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def on_the_wire(self) -> dict[str, Any]:
        """Return the message in the OpenAI form."""
        return {"role": self.role, "content": self.content, **self.fields}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request for an answer; what is None is left to the provider.

    `options` goes to the provider as it is, in the OpenAI form; a provider's `takes` says which it knows.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    thinking: bool | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens taken; `estimated` where the provider did not say."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool = False


@dataclass(slots=True)
class Delta:
    """A piece of an answer; `waiting_seconds` tells that the provider asked to wait before the next try.

    `tool_calls` holds pieces of calls of tools as they came, in the OpenAI form.
    """

    text: str = ""
    reasoning: str = ""
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    waiting_seconds: float | None = None
    tool_calls: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that can be asked: `name` goes into requests, `label` and `hint` are shown."""

    name: str
    label: str
    provider: str
    thinking: bool = False
    hint: str = ""
    available: bool = True
