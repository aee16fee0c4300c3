"""Zhipu's GLM models: the vendor's SDK builds and sends the request, we read the raw event lines.

Reading the SDK's chunk objects costs several hundred microseconds a token, and takes a stream that was cut off for
a whole answer. Its client is light where it shares one `httpx.Client`; ours sends over our own connections.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import httpx

from webapp.lib.outbound.client import Outbound, Reply
from webapp.lib.outbound.errors import OutboundError, Trouble
from webapp.lib.outbound.exchange import Exchange
from webapp.llm.errors import ProviderError, ProviderErrorKind
from webapp.llm.providers import refusals, thinking
from webapp.llm.providers.breaker import Breaker
from webapp.llm.providers.streaming import HttpStream, Patience
from webapp.llm.rules import ChatMessage, ChatRequest

if TYPE_CHECKING:
    from zhipuai import ZhipuAI


def load_sdk() -> Any:
    """Return the SDK's module, imported when it is first needed: that costs a quarter of a second."""
    import zhipuai

    return zhipuai


class ZhipuProvider:
    """Asks Zhipu by the `zhipuai` SDK."""

    name = "zhipu"
    takes = frozenset({"images", "response_format", "seed", "stop", "tool_choice", "tools"})

    def __init__(
        self, base_url: str, api_key: str, patience: Patience, *, allow_hosts: Collection[str] = ()
    ) -> None:
        if api_key.count(".") != 1:
            raise ProviderError(ProviderErrorKind.AUTH, "a Zhipu key has the form id.secret, with one dot")
        self._outbound = Outbound(base_url, allow_hosts=allow_hosts, connect_seconds=patience.connect)
        self._base_url = base_url
        self._key = api_key
        self._patience = patience
        self._breaker = Breaker()
        self._transport = _Transport(self._outbound, patience.first_token)
        self._http = httpx.Client(transport=self._transport, trust_env=False, follow_redirects=False)
        self._sdk: ZhipuAI | None = None

    def open(self, request: ChatRequest) -> HttpStream:
        """Return the stream of an answer."""
        return HttpStream(lambda exchange: self._send(request, exchange), self._patience, self._breaker)

    def close(self) -> None:
        """Close what is idle."""
        self._outbound.close()

    def _client(self) -> ZhipuAI:
        if self._sdk is None:
            self._sdk = load_sdk().ZhipuAI(
                api_key=self._key, base_url=self._base_url, http_client=self._http, max_retries=0
            )
        return self._sdk

    def _send(self, request: ChatRequest, exchange: Exchange) -> Reply:
        self._transport.current.exchange = exchange
        try:
            stream = self._client().chat.completions.create(**_arguments(request))
        except load_sdk().ZhipuAIError as error:
            raise self._in_words(error) from error
        response: httpx.Response = stream.response
        if "reply" not in response.extensions:  # a success other than 200, which is none to us
            raise refusals.of_status(response.status_code, {}, b"", self._key)
        reply: Reply = response.extensions["reply"]
        return reply

    def _in_words(self, error: Exception) -> Exception:
        response: httpx.Response | None = getattr(error, "response", None)
        if response is not None:
            return refusals.of_status(response.status_code, response.headers, response.content, self._key)
        if isinstance(error.__cause__, OutboundError | ProviderError):
            return error.__cause__
        return OutboundError(Trouble.BROKEN, type(error).__name__)


class _Transport(httpx.BaseTransport):
    """Sends what the SDK built over our connections; the reply travels in the response's extensions."""

    def __init__(self, outbound: Outbound, first_seconds: float) -> None:
        self._outbound = outbound
        self._first_seconds = first_seconds
        self.current = threading.local()  # its `exchange`: the request that the thread is sending

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the body of a refusal is read here, and only so much of it."""
        reply = self._outbound.post(
            request.url.raw_path.decode(),
            request.read(),
            dict(request.headers),
            self.current.exchange,
            first_seconds=self._first_seconds,
        )
        if reply.status == 200:
            return httpx.Response(
                200, headers=dict(reply.headers), stream=_Unread(), extensions={"reply": reply}
            )
        try:
            content = reply.read_all()
        finally:
            reply.close()
        headers = {"retry-after": reply.headers["retry-after"]} if "retry-after" in reply.headers else {}
        return httpx.Response(reply.status, headers=headers, content=content)


class _Unread(httpx.SyncByteStream):
    """Stands where the body would be; the adapter reads that from the reply."""

    def __iter__(self) -> Iterator[bytes]:
        yield b""


def _message(message: ChatMessage) -> dict[str, Any]:
    wire = message.on_the_wire()
    return copy.deepcopy(wire) if message.fields else wire


def _arguments(request: ChatRequest) -> dict[str, Any]:
    """Return what the SDK's call takes; the messages are new objects, because it changes those it is given."""
    arguments: dict[str, Any] = {
        "model": request.model,
        "messages": [_message(each) for each in request.messages],
        "stream": True,
        **copy.deepcopy(dict(request.options)),
    }
    for name in ("temperature", "top_p", "max_tokens"):
        if (value := getattr(request, name)) is not None:
            arguments[name] = value
    if request.thinking is not None and thinking.is_switchable(request.model):
        arguments["thinking"] = {"type": "enabled" if request.thinking else "disabled"}
    return arguments
