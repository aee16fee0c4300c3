"""Models from Python, without an application: a call that returns the answer, and one that yields it as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from webapp.config import Settings
from webapp.llm.errors import ProviderError, ProviderErrorKind
from webapp.llm.providers.contract import Provider
from webapp.llm.providers.openai_compatible import OpenAICompatibleProvider
from webapp.llm.providers.streaming import Patience
from webapp.llm.providers.zhipu import ZhipuProvider
from webapp.llm.rules import ChatMessage, ChatRequest

DEFAULT_MODEL: Final = "glm-4-flash"
KEPT_PROVIDERS: Final = 8


class LLMClient:
    """Asks Zhipu's models or, with a `base_url`, those of any OpenAI-compatible server.

    Both calls raise ProviderError, whose text says in words what went wrong; an answer that broke off is one too.
    A server in a private network is called only if its `host:port` is in `allow_hosts`.
    """

    @staticmethod
    def generate(
        *,
        message: str,
        api_key: str,
        prompt: str = "",
        model: str = DEFAULT_MODEL,
        base_url: str | None = None,
        allow_hosts: tuple[str, ...] = (),
    ) -> str:
        """Return the whole answer to a message, with `prompt` as the system's instruction."""
        return "".join(
            LLMClient.generate_stream(
                message=message,
                api_key=api_key,
                prompt=prompt,
                model=model,
                base_url=base_url,
                allow_hosts=allow_hosts,
            )
        )

    @staticmethod
    def generate_stream(
        *,
        message: str,
        api_key: str,
        prompt: str = "",
        model: str = DEFAULT_MODEL,
        base_url: str | None = None,
        allow_hosts: tuple[str, ...] = (),
    ) -> Iterator[str]:
        """Yield the answer in pieces, as it is written; ending the loop early closes the connection."""
        if not message.strip():
            raise ProviderError(ProviderErrorKind.REJECTED, "the message is empty")
        system = (ChatMessage("system", prompt),) if prompt else ()
        request = ChatRequest(model, (*system, ChatMessage("user", message)))
        return _texts(_provider(base_url, api_key, allow_hosts), request)


def _texts(provider: Provider, request: ChatRequest) -> Iterator[str]:
    stream = provider.open(request)
    try:
        for deltas in stream:
            for delta in deltas:
                if delta.text:
                    yield delta.text
                if delta.finish_reason == "filtered":
                    raise ProviderError(ProviderErrorKind.REJECTED, "the content filter ended the answer")
    finally:
        stream.close()


@lru_cache(maxsize=KEPT_PROVIDERS)
def _provider(base_url: str | None, api_key: str, allow_hosts: tuple[str, ...]) -> Provider:
    """Return a provider that keeps its connections between calls."""
    defaults = Settings.model_fields
    patience = Patience(
        defaults["llm_connect_timeout_seconds"].default,
        defaults["llm_first_token_timeout_seconds"].default,
        defaults["llm_idle_timeout_seconds"].default,
    )
    if base_url is not None:
        return OpenAICompatibleProvider(base_url, api_key, patience, allow_hosts=allow_hosts)
    return ZhipuProvider(defaults["zhipuai_base_url"].default, api_key, patience, allow_hosts=allow_hosts)
