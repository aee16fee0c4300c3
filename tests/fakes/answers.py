"""What the fake upstream says: the events of an answer, whole or broken, in the wire format asked for.

A script is a row of (seconds to wait, bytes); bytes None closes the connection, with a reset where the seconds are
negative.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fakes.upstream import Order

Script = Iterator[tuple[float, bytes | None]]

EOL = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r"}
STAMP = "@" * 19
CJK = "模型说：你好，世界！𠮷野家🍣👩‍👩‍👧‍👦🇨🇳 注意**重点**——「引用」。"
HUGE_BYTES = 50_000_000
FOREVER = 3600.0
PAGE = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>\n"


def token_of(kind: str, number: int) -> str:
    """Return one token of an answer."""
    if kind == "cjk":
        return CJK[number % len(CJK)]
    return f"word{number} "


def text_of(kind: str, tokens: int) -> str:
    """Return the text of a whole answer, as a reader must get it."""
    return "".join(token_of(kind, number) for number in range(tokens))


def usage_of(tokens: int) -> dict[str, int]:
    """Return the usage a call reports."""
    return {"prompt_tokens": 7, "completion_tokens": tokens, "total_tokens": tokens + 7}


def body_of(order: Order) -> tuple[str, bytes]:
    """Return type and content of an answer that is no stream: a refusal, a page, a whole completion."""
    if order.mode == "html":
        return "text/html", PAGE
    if order.status != 200:
        return "application/json", json.dumps(refusal(order)).encode()
    message = {"role": "assistant", "content": text_of(order.text, order.tokens)}
    choice = {"index": 0, "message": message, "finish_reason": order.finish}
    whole = {"id": "1", "model": "fake", "choices": [choice], "usage": usage_of(order.tokens)}
    return "application/json", json.dumps(whole).encode()


def refusal(order: Order) -> dict[str, Any]:
    """Return the error object of a status; `echo_key` repeats the caller's key as careless servers do."""
    words = "stream_options is not supported" if order.mode == "nostreamoptions" else "as ordered"
    if order.mode == "echo_key":
        words = f"wrong key: {order.authorization}"
    if order.mode == "filtered":
        return {"error": {"code": "1301", "message": "unsafe"}}
    code = {401: "1002", 429: "1302", 400: "1210"}.get(order.status, str(order.status))
    return {"error": {"code": code, "message": words}}


def stream_of(order: Order) -> Script:
    """Return the script of a stream."""
    special = {
        "hugeline": _huge_line,
        "trickle": _trickle,
        "comments": _comments,
        "noise": _noise,
    }.get(order.mode)
    if special is not None:
        return special(order)
    script = _events(order)
    if order.mode in {"stall", "cut", "rst", "cutchunk", "badjson", "error200", "networkerror"}:
        script = _broken(order, script)
    return _split(order, script) if order.split else script


def _events(order: Order) -> Script:
    eol = EOL[order.eol]
    gap = 1 / order.rate if order.rate else 0.0
    wait = order.first
    if order.comments:
        yield 0.0, b": keep-alive" + eol + b"event: message" + eol + b"id: 1" + eol + eol
    if order.mode == "emptychoices":
        yield 0.0, _event({"choices": []}, eol) * 3 + b"data: [DONE]" + eol + eol
        return
    for number in range(order.reasoning):
        yield wait, _delta("reasoning_content", f"thought{number} ", eol)
        wait = gap
    if order.mode == "badcall":
        yield 0.0, _event({"choices": [{"index": 0, "delta": {"tool_calls": ["nonsense"]}}]}, eol)
    if order.call:
        yield from _call_of_a_tool(order, wait, eol)
        return
    for number in range(order.tokens):
        yield wait, _token(order, number, eol)
        wait = gap
        if order.comments:
            yield 0.0, b": keep-alive" + eol
    yield from _end(order, wait, eol)


def _call_of_a_tool(order: Order, wait: float, eol: bytes) -> Script:
    """Yield a call in three pieces, as OpenAI does; Zhipu sends it whole, which readers must take as well."""
    arguments = json.dumps({"city": order.body["messages"][-1]["content"]}, ensure_ascii=False)
    head = {"index": 0, "id": "call_1", "type": "function"}
    if order.zhipu:
        pieces: list[dict[str, Any]] = [head | {"function": {"name": order.call, "arguments": arguments}}]
    else:
        pieces = [head | {"function": {"name": order.call, "arguments": ""}}]
        pieces += [{"index": 0, "function": {"arguments": each}} for each in (arguments[:5], arguments[5:])]
    for piece in pieces:
        yield wait, _event({"choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]}, eol)
    yield from _end(order, wait, eol)


def _token(order: Order, number: int, eol: bytes) -> bytes:
    if order.stamp:
        return _delta("content", f"{STAMP} ", eol)
    if order.text == "echo":
        said = order.body["messages"][-1]["content"]
        return _delta("content", said if number == 0 else "", eol)
    return _delta("content", token_of(order.text, number), eol)


def _end(order: Order, wait: float, eol: bytes) -> Script:
    """Yield the finish reason and the usage: in one event from Zhipu, in two from OpenAI, the second if asked."""
    usage = usage_of(order.tokens + order.reasoning) if order.usage else None
    reason = None if order.finish == "none" else order.finish
    last: dict[str, Any] = {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": reason}]}
    if order.zhipu and usage:
        last["usage"] = usage
    events = _event(last, eol)
    if not order.zhipu and usage and order.body.get("stream_options"):
        events += _event({"choices": [], "usage": usage}, eol)
    yield wait, events + (b"data: [DONE]" + eol + eol if order.done else b"")


def _broken(order: Order, script: Script) -> Script:
    for _ in range(order.after):
        yield next(script)
    eol = EOL[order.eol]
    if order.mode == "stall":
        yield FOREVER, b""
    elif order.mode == "cut":
        yield 0.0, None
    elif order.mode == "rst":
        yield -1.0, None
    elif order.mode == "cutchunk":
        yield 0.0, _delta("content", "half", eol)[:25]
        yield 0.0, None
    elif order.mode == "badjson":
        yield 0.0, b'data: {"choices": [{"delta": {"content": nonsense}}]}' + eol + eol
        yield from script
    elif order.mode == "error200":
        yield 0.0, _event({"error": {"code": "1234", "message": "network error inside"}}, eol)


def _huge_line(order: Order) -> Script:
    yield 0.0, b'data: {"choices":[{"delta":{"content":"'
    for _ in range(HUGE_BYTES // 50_000):
        yield 0.0, b"x" * 50_000
    yield 0.0, b'"}}]}\n\ndata: [DONE]\n\n'


def _comments(_order: Order) -> Script:
    while True:
        yield 0.1, b": still here\n\n"


def _noise(_order: Order) -> Script:
    rng = random.Random(7)
    yield from ((0.0, rng.randbytes(5_000)) for _ in range(20))


def _trickle(order: Order) -> Script:
    """Yield one byte a chunk, a million times: comment lines, then an answer of one byte chunks as well."""
    yield from ((0.0, b"\n" if number % 50 == 49 else b":") for number in range(1_000_000))
    yield 0.0, b"\n"
    for _, data in _events(order):
        yield from ((0.0, bytes([byte])) for byte in data or b"")


def _split(order: Order, script: Script) -> Script:
    """Cut the body every so many bytes, wherever that falls."""
    body = b"".join(data for _, data in script if data)
    for start in range(0, len(body), order.split):
        yield order.pause, body[start : start + order.split]


@cache
def _delta(name: str, text: str, eol: bytes) -> bytes:
    return _event({"choices": [{"index": 0, "delta": {"role": "assistant", name: text}}]}, eol)


def _event(value: dict[str, Any], eol: bytes) -> bytes:
    head = {"id": "20261124150000", "created": 1764000000, "model": "fake"}
    return b"data: " + json.dumps(head | value, ensure_ascii=False).encode() + eol + eol
