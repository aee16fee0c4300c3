"""The event reader alone: cuts, odd shapes, and what is never taken for an answer."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.llm.errors import ProviderErrorKind as Kind
from webapp.llm.providers.events import LINE_BYTES, EventReader
from webapp.llm.providers.refusals import Filtered
from webapp.llm.rules import Usage


def play(*pieces: bytes) -> tuple[str, str, EventReader]:
    """Feed the pieces and the end; return text, reasoning, and the reader."""
    reader = EventReader()
    found = []
    for piece in (*pieces, None):
        if reader.fault is None and not reader.complete:
            delta = reader.end() if piece is None else reader.feed(piece)
            found += [delta] if delta else []
    return "".join(d.text for d in found), "".join(d.reasoning for d in found), reader


def event(delta: dict[str, object], reason: str | None = None, **more: object) -> bytes:
    choice = {"delta": delta, "finish_reason": reason}
    return f"data: {json.dumps({'choices': [choice], **more})}\n\n".encode()


WHOLE = event({"content": "你好 "}) + event({"content": "🍣"}) + event({}, "stop") + b"data: [DONE]\n\n"


@given(st.lists(st.integers(0, len(WHOLE)), max_size=20), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_cut_gives_the_same(cuts: list[int], eol: bytes) -> None:
    whole = WHOLE.replace(b"\n", eol)
    places = [0, *sorted(cuts), len(whole)]
    text, _, reader = play(*(whole[a:b] for a, b in pairwise(places)))
    assert (text, reader.finish_reason, reader.fault) == ("你好 🍣", "stop", None)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_noise_is_a_fault_and_never_an_exception(noise: bytes, size: int) -> None:
    _, _, reader = play(*(noise[at : at + size] for at in range(0, len(noise), size)))
    assert reader.fault is not None
    assert reader.finish_reason is None


@pytest.mark.parametrize("halves", [('"\\ud83c', '\\udf63"'), ('"a\\ud83c', '\\udf63b"')])
def test_character_escaped_in_two_halves_is_joined(halves: tuple[str, str]) -> None:
    def line(half: str) -> bytes:
        return f'data: {{"choices":[{{"delta":{{"content":{half}}}}}]}}\n\n'.encode()

    text, _, _ = play(line(halves[0] + '"'), line('"' + halves[1]), event({}, "stop"))
    assert text in {"🍣", "a🍣b"}


def test_lone_half_of_a_character_is_replaced() -> None:
    text, _, _ = play(b'data: {"choices":[{"delta":{"content":"a\\udf63b"}}]}\n\n', event({}, "stop"))
    assert text == "a\ufffdb"
    text.encode()


def test_data_in_several_lines_is_one_event() -> None:
    pretty = json.dumps({"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]}, indent=1)
    lines = "".join(f"data: {line}\n" for line in pretty.splitlines())
    text, _, reader = play(lines.encode() + b"\n")
    assert (text, reader.finish_reason) == ("x", "stop")


def test_last_line_without_an_end() -> None:
    text, _, reader = play(event({"content": "x"}, "stop").rstrip())
    assert (text, reader.fault) == ("x", None)


@pytest.mark.parametrize(
    ("delta", "text", "reasoning"),
    [
        ({"content": None, "reasoning": "r"}, "", "r"),
        ({"content": [{"type": "text", "text": "x"}, {"type": "image"}]}, "x", ""),
        ({"content": "x", "tool_calls": [{"id": 1}]}, "x", ""),
        ({"role": "assistant", "content": ""}, "", ""),
    ],
)
def test_shapes_of_a_delta(delta: dict[str, object], text: str, reasoning: str) -> None:
    assert play(event(delta, "stop"))[:2] == (text, reasoning)


@pytest.mark.parametrize(
    "line",
    [
        b"data: 17",
        b"data: []",
        b'data: {"choices": [17]}',
        b'data: {"choices": [{"delta": {"content": 17}}]}',
        b'data: {"choices": [{"delta": 17}]}',
        b"data: {} {}",
        b"data: \xff\xfe",
        b"<html>",
        b'{"nothing": 1}',
        b"data: [DONE]",
    ],
)
def test_what_is_no_answer(line: bytes) -> None:
    _, _, reader = play(line + b"\n\n")
    assert reader.fault.kind is Kind.PROTOCOL


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        ("1302", Kind.RATE_LIMITED, True),
        ("rate_limit_exceeded", Kind.RATE_LIMITED, True),
        ("1113", Kind.QUOTA, False),
        ("invalid_api_key", Kind.AUTH, False),
        ("context_length_exceeded", Kind.REJECTED, False),
        ("1234", Kind.PROTOCOL, True),
        (500, Kind.PROTOCOL, True),
        ("unheard-of", Kind.PROTOCOL, False),
    ],
)
def test_error_in_a_stream(code: object, kind: Kind, retryable: bool) -> None:
    line = json.dumps({"error": {"code": code, "message": "Bearer abc.def said no"}}).encode()
    for data in (b"data: " + line + b"\n\n", line):
        _, _, reader = play(data)
        assert (reader.fault.kind, reader.fault.retryable) == (kind, retryable)
        assert "abc.def" not in reader.fault.detail


def test_filter_in_a_stream() -> None:
    _, _, reader = play(b'data: {"error": {"code": "1301", "message": "unsafe"}}\n\n')
    assert isinstance(reader.fault, Filtered)


def test_text_before_a_fault_is_not_lost() -> None:
    text, _, reader = play(event({"content": "x"}) + b"data: {broken}\n\n")
    assert text == "x"
    assert reader.fault.kind is Kind.PROTOCOL


def test_usage_wherever_it_stands() -> None:
    for data in (
        event({}, "stop", usage={"prompt_tokens": 3, "completion_tokens": 4}),
        b'data: {"choices":[{"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":4}}]}\n',
        event({}, "stop") + b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n',
    ):
        delta = EventReader().feed(data)
        assert delta.usage == Usage(3, 4)


def test_line_is_bounded_however_it_comes() -> None:
    _, _, reader = play(*([b"x" * 10_000] * (LINE_BYTES // 10_000 + 1)))
    assert "more than" in reader.fault.detail
    _, _, reader = play(*([b"data: {\n"] * 20))
    assert reader.fault.kind is Kind.PROTOCOL


@pytest.mark.parametrize(
    ("written", "text", "reasoning"),
    [
        ("<think>why</think>\n\nbecause", "because", "why"),
        ("\n<think>\nwhy </ think>\n</think>x</think>", "x</think>", "\nwhy </ think>\n"),
        ("<think>never closed </thi", "", "never closed </thi"),
        ("<thin air", "<thin air", ""),
        ("<thi", "<thi", ""),
        ("The tag <think>x</think>", "The tag <think>x</think>", ""),
        ("  x", "  x", ""),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_reasoning_between_tags(written: str, text: str, reasoning: str, size: int) -> None:
    pieces = [event({"content": written[at : at + size]}) for at in range(0, len(written), size)]
    found = play(*pieces, event({}, "stop"))
    assert found[:2] == (text, reasoning)
    assert found[2].fault is None
