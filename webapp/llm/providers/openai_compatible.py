"""Any server that speaks the OpenAI protocol: DeepSeek, Qwen, Moonshot, Ollama, vLLM and many others."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from webapp.lib.outbound.client import Outbound, Reply
from webapp.lib.outbound.exchange import Exchange
from webapp.llm.providers import refusals, thinking
from webapp.llm.providers.breaker import Breaker
from webapp.llm.providers.contract import EVERY_OPTION
from webapp.llm.providers.streaming import HttpStream, Patience
from webapp.llm.rules import ChatRequest


class OpenAICompatibleProvider:
    """Posts to `{base_url}/chat/completions`."""

    name = "openai_compatible"
    takes = EVERY_OPTION

    def __init__(
        self, base_url: str, api_key: str, patience: Patience, *, allow_hosts: Collection[str] = ()
    ) -> None:
        self._outbound = Outbound(base_url, allow_hosts=allow_hosts, connect_seconds=patience.connect)
        self._key = api_key
        self._patience = patience
        self._breaker = Breaker()
        self._asks_for_usage = True

    def open(self, request: ChatRequest) -> HttpStream:
        """Return the stream of an answer."""
        return HttpStream(lambda exchange: self.send(request, exchange), self._patience, self._breaker)

    def close(self) -> None:
        """Close what is idle."""
        self._outbound.close()

    def send(self, request: ChatRequest, exchange: Exchange) -> Reply:
        """Send the request; a server that does not know `stream_options` is asked without them from then on."""
        reply = self._post(request, exchange)
        if reply.status == 200:
            return reply
        try:
            body = reply.read_all()
        finally:
            reply.close()
        if reply.status in {400, 422} and self._asks_for_usage and b"stream_options" in body:
            self._asks_for_usage = False
            return self.send(request, exchange)
        raise refusals.of_status(reply.status, reply.headers, body, self._key)

    def _post(self, request: ChatRequest, exchange: Exchange) -> Reply:
        body = json.dumps(self._body(request), ensure_ascii=False, separators=(",", ":")).encode()
        return self._outbound.post(
            f"{self._outbound.path}/chat/completions",
            body,
            self._headers(),
            exchange,
            first_seconds=self._patience.first_token,
        )

    def _headers(self) -> Mapping[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return headers

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [message.on_the_wire() for message in request.messages],
            "stream": True,
            **request.options,
        }
        if self._asks_for_usage:
            body["stream_options"] = {"include_usage": True}
        for name in ("temperature", "top_p", "max_tokens"):
            if (value := getattr(request, name)) is not None:
                body[name] = value
        if request.thinking is not None:
            body |= thinking.switch(request.model, wanted=request.thinking)
        return body
