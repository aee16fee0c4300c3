"""The event lines of a streamed answer, as OpenAI, Zhipu and all that follow them send it.

`data: {json}` lines; in `choices[0].delta` come `content` and `reasoning_content`, in `choices[0].finish_reason` the
only sign that an answer is whole, in `usage` what it took; `data: [DONE]` is last. Lines end with LF, CRLF or CR, as
server-sent events may; a line may come in any number of pieces.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from webapp.llm.errors import ProviderError, ProviderErrorKind
from webapp.llm.providers import refusals
from webapp.llm.providers.refusals import Filtered
from webapp.llm.providers.think_tags import ThinkTags
from webapp.llm.rules import Delta, FinishReason, Usage

LINE_BYTES: Final = 1_048_576
_HELD_LINES: Final = 16
_FINISHES: Final[dict[str, FinishReason]] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "sensitive": "filtered",
    "content_filter": "filtered",
    "safety": "filtered",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
_BREAKDOWNS: Final = ("network_error", "insufficient_system_resource", "abort", "error")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_read_json = json.JSONDecoder().raw_decode


class EventReader:
    """Makes deltas of bytes; `complete` once the end marker came, `finish_reason` once the answer is whole."""

    def __init__(self) -> None:
        self.complete = False
        self.finish_reason: FinishReason | None = None
        self.fault: Exception | None = None  # what came after the deltas that were returned last
        self._pieces: list[bytes] = []  # of a line that has not ended
        self._size = 0
        self._after_cr = False
        self._held = b""  # data lines that are no JSON by themselves
        self._held_lines = 0
        self._stray: list[bytes] = []  # a JSON document where events were to come
        self._stray_size = 0
        self._heard = False
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._tags = ThinkTags()
        self._calls: list[dict[str, Any]] = []
        self._usage: Usage | None = None
        self._told: FinishReason | None = None
        self._news = False
        self._half = ""  # of a character that a provider escaped in two events

    def feed(self, data: bytes) -> Delta | None:
        """Take the bytes of one read and return what they bring, with `fault` set where they end badly."""
        try:
            self._take_bytes(data)
        except (ProviderError, Filtered) as fault:
            self.fault = fault
        if self.complete:
            self._judge()
        return self._news_so_far()

    def end(self) -> Delta | None:
        """Take the end of the body and return what it brings, with `fault` set unless the answer is whole."""
        try:
            self._take_rest()
        except (ProviderError, Filtered) as fault:
            self.fault = fault
        self._judge()
        return self._news_so_far()

    def _judge(self) -> None:
        """Note that an answer is not whole: that it ended does not make it so, only a finish reason does."""
        if self.finish_reason is None and self.fault is None:
            kind = ProviderErrorKind.TRUNCATED if self._heard else ProviderErrorKind.PROTOCOL
            self.fault = ProviderError(kind, "the stream ended without a finish reason")

    # -- lines -------------------------------------------------------------------------------------------

    def _take_bytes(self, data: bytes) -> None:
        if b"\r" in data or self._after_cr:
            data = self._plain_ends(data)
        if b"\n" not in data:
            self._keep(data)
            return
        lines = data.split(b"\n")
        if self._pieces:
            lines[0] = b"".join([*self._pieces, lines[0]])
            self._pieces = []
            self._size = 0
        self._keep(lines.pop())
        for line in lines:
            if line:
                self._take_line(line)
            elif self._held:
                raise _no_json()
            if self.complete:
                return

    def _take_rest(self) -> None:
        """Take what came without a line end; text that is whole needs no more."""
        line, self._pieces = b"".join(self._pieces), []
        if self.finish_reason is not None:
            return
        if line:
            self._take_line(line)
        if self._stray:
            self._take(_json(b"\n".join(self._stray)))
        if self._held:
            raise _no_json()

    def _plain_ends(self, data: bytes) -> bytes:
        """Return the bytes with LF for each line end; a CRLF may be cut between two reads."""
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
        self._after_cr = data[-1:] == b"\r"
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size > LINE_BYTES:
                raise ProviderError(ProviderErrorKind.PROTOCOL, f"a line of more than {LINE_BYTES} bytes")

    def _take_line(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            payload = line[5:].strip()
            if payload == b"[DONE]":
                self.complete = True
            elif payload:
                self._take_data(payload)
        elif not line.startswith((b":", b"event:", b"id:", b"retry:")):
            self._take_stray(line)

    def _take_data(self, payload: bytes) -> None:
        """Take one data line; one that is no JSON may be continued by the next, as the standard has it."""
        if self._held:
            payload = self._held + b"\n" + payload
        try:
            text = payload.decode()
            value, end = _read_json(text)
        except ValueError:
            self._hold(payload)
            return
        if end != len(text):
            raise _no_json()
        self._held, self._held_lines = b"", 0
        self._take(value)

    def _hold(self, payload: bytes) -> None:
        self._held = payload
        self._held_lines += 1
        if self._held_lines > _HELD_LINES or len(payload) > LINE_BYTES:
            raise _no_json()

    def _take_stray(self, line: bytes) -> None:
        """Take a line that belongs to no event: of a page (an error), or of a JSON document (kept)."""
        start = line.lstrip(b"\xef\xbb\xbf \t")
        if start.startswith(b"data:"):
            self._take_line(start)
        elif start.startswith(b"<"):
            raise ProviderError(ProviderErrorKind.PROTOCOL, "a page came instead of an answer")
        elif self._stray or start.startswith((b"{", b"[")):
            self._stray.append(line)
            self._stray_size += len(line)
            if self._stray_size > LINE_BYTES:
                raise _no_json()

    # -- values ------------------------------------------------------------------------------------------

    def _take(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise ProviderError(ProviderErrorKind.PROTOCOL, "an event is no object")
        if value.get("error"):
            raise refusals.in_stream(value["error"])
        choices = value.get("choices")
        if choices:
            self._take_choice(choices[0])
        if (usage := value.get("usage")) is not None:
            self._take_usage(usage)

    def _take_choice(self, choice: Any) -> None:
        try:
            delta = choice.get("delta") or choice.get("message") or {}
            content = delta.get("content")
            reasoning = delta.get("reasoning_content") or delta.get("reasoning")
            calls = delta.get("tool_calls")
            reason = choice.get("finish_reason")
        except AttributeError:
            raise ProviderError(ProviderErrorKind.PROTOCOL, "a choice is no object") from None
        self._heard = True
        if reasoning:
            self._reasoning.append(self._whole(reasoning))
            self._news = True
        if content:
            self._take_text(self._whole(content))
        if calls:
            self._take_calls(calls)
        if reason:
            self._finish(str(reason))
        if (usage := choice.get("usage")) is not None:
            self._take_usage(usage)

    def _take_text(self, text: str) -> None:
        if not self._tags.passing:
            text, reasoning = self._tags.feed(text)
            self._reasoning.append(reasoning)
            self._news = self._news or bool(reasoning)
        if text:
            self._text.append(text)
            self._news = True

    def _take_calls(self, calls: Any) -> None:
        """Take pieces of calls of tools; one of a whole message has no number of its own."""
        if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
            raise ProviderError(ProviderErrorKind.PROTOCOL, "a call of a tool is no object")
        self._calls += [{"index": number, **call} for number, call in enumerate(calls)]
        self._news = True

    def _finish(self, reason: str) -> None:
        if reason in _BREAKDOWNS:
            raise ProviderError(ProviderErrorKind.UNAVAILABLE, f"finish reason {reason}", retryable=True)
        self.finish_reason = _FINISHES.get(reason, "stop")
        text, reasoning = self._tags.end()
        self._text.append(text)
        self._reasoning.append(reasoning)
        self._news = True

    def _take_usage(self, usage: Any) -> None:
        if isinstance(usage, dict):
            asked, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
            if isinstance(asked, int) and isinstance(written, int):
                self._usage = Usage(max(0, asked), max(0, written))
                self._news = True

    def _whole(self, given: Any) -> str:
        """Return the text of a field; halves of characters are joined, and replaced where the other never comes."""
        text = given if isinstance(given, str) else _text_of_parts(given)
        if self._half or not text.isascii():
            text = self._half + text
            self._half = ""
            if _SURROGATE.search(text):
                if "\ud800" <= text[-1] <= "\udbff":
                    self._half, text = text[-1], text[:-1]
                text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text

    def _news_so_far(self) -> Delta | None:
        if not self._news:
            return None
        told, self._told = self._told, self.finish_reason
        reason = None if told else self.finish_reason
        delta = Delta("".join(self._text), "".join(self._reasoning), reason, self._usage)
        if self._calls:
            delta.tool_calls, self._calls = self._calls, []
        self._text, self._reasoning, self._usage, self._news = [], [], None, False
        return delta


def _json(document: bytes) -> Any:
    try:
        return json.loads(document)
    except ValueError:
        raise _no_json() from None


def _no_json() -> ProviderError:
    """Return the error of a stream that cannot be read; what it said may be somebody's chat and stays out."""
    return ProviderError(ProviderErrorKind.PROTOCOL, "what came is no JSON")


def _text_of_parts(parts: Any) -> str:
    """Return the text of a content that is a list of typed parts."""
    if not isinstance(parts, list):
        raise ProviderError(ProviderErrorKind.PROTOCOL, "a text is no text")
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
