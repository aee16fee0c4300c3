"""The adapters under test, and what comes out of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.conftest import make_settings
from tests.fakes.running import FakeUpstream
from webapp.llm.errors import Aborted, ProviderError, ProviderErrorKind
from webapp.llm.local import endpoint
from webapp.llm.local.endpoint import LocalEndpoint
from webapp.llm.providers.contract import AnswerStream, Provider
from webapp.llm.providers.local import LocalProvider
from webapp.llm.providers.openai_compatible import OpenAICompatibleProvider
from webapp.llm.providers.streaming import Patience
from webapp.llm.providers.zhipu import ZhipuProvider
from webapp.llm.rules import ChatMessage, ChatRequest, FinishReason, Usage

SECRET = "id0123456789.s3cr3tOfTheTests"
PATIENCE = Patience(connect=5.0, first_token=20.0, idle=20.0)
SHORT = Patience(connect=2.0, first_token=0.4, idle=0.4)


@dataclass
class Outcome:
    """What a stream brought, and how it ended."""

    text: str = ""
    reasoning: str = ""
    finish: FinishReason | None = None
    usage: Usage | None = None
    waits: list[float] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    error: ProviderError | None = None
    aborted: bool = False
    reads: int = 0

    @property
    def kind(self) -> ProviderErrorKind | None:
        return self.error.kind if self.error else None


def read(stream: AnswerStream, outcome: Outcome | None = None) -> Outcome:
    """Read a stream to its end, whatever that is."""
    outcome = outcome or Outcome()
    try:
        for deltas in stream:
            assert deltas, "an empty list"
            outcome.reads += 1
            for delta in deltas:
                outcome.text += delta.text
                outcome.reasoning += delta.reasoning
                outcome.calls += delta.tool_calls or []
                outcome.usage = delta.usage or outcome.usage
                if delta.finish_reason:
                    assert outcome.finish is None, "two ends"
                    outcome.finish = delta.finish_reason
                if delta.waiting_seconds is not None:
                    outcome.waits.append(delta.waiting_seconds)
    except ProviderError as error:
        outcome.error = error
    except Aborted:
        outcome.aborted = True
    finally:
        stream.close()
    return outcome


def new_key() -> str:
    """Return a key under which the fake counts the calls of one test."""
    return uuid.uuid4().hex


class Adapter:
    """One adapter, made for the fake."""

    wire = "/v1"

    def __init__(self, upstream: FakeUpstream, folder: Path) -> None:
        self.upstream = upstream
        self.folder = folder
        self._made: dict[Patience, Provider] = {}

    def make(self, patience: Patience) -> Provider:
        """Build the provider."""
        return OpenAICompatibleProvider(
            self.upstream.openai_url, SECRET, patience, allow_hosts=(self.upstream.host,)
        )

    def provider(self, patience: Patience = PATIENCE) -> Provider:
        """Return the provider, the same for the whole test."""
        if patience not in self._made:
            self._made[patience] = self.make(patience)
        return self._made[patience]

    def open(self, order: str, patience: Patience = PATIENCE, **request: object) -> AnswerStream:
        """Open the stream of an answer that is ordered from the fake."""
        asked = ChatRequest(f"fake?{order}", (ChatMessage("user", "你好"),))
        return self.provider(patience).open(replace(asked, **request))  # type: ignore[arg-type]

    def ask(self, order: str, patience: Patience = PATIENCE, **request: object) -> Outcome:
        """Open and read."""
        return read(self.open(order, patience, **request))


class Zhipu(Adapter):
    """Through the vendor's SDK."""

    wire = "/api/paas/v4"

    def make(self, patience: Patience) -> Provider:
        return ZhipuProvider(self.upstream.zhipu_url, SECRET, patience, allow_hosts=(self.upstream.host,))


class Local(Adapter):
    """The embedded model's; its endpoint is the fake, whose orders stand in the model's name."""

    slots = 200

    def make(self, patience: Patience) -> Provider:
        model = self.folder / "m.gguf"
        model.touch()
        return LocalProvider(make_settings(self.folder, local_model=str(model)), patience)

    def open(self, order: str, patience: Patience = PATIENCE, **request: object) -> AnswerStream:
        where = LocalEndpoint(
            base_url=self.upstream.openai_url,
            api_key=SECRET,
            model=f"fake?{order}",
            slots=self.slots,
            context_tokens=2048,
            max_tokens=1024,
            demonstration=False,
        )
        endpoint.publish(self.folder, "ready", where=where)
        return super().open(order, patience, **request)


ADAPTERS: dict[str, Callable[[FakeUpstream, Path], Adapter]] = {
    "openai_compatible": Adapter,
    "zhipu": Zhipu,
    "local": Local,
}
