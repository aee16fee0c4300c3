"""What every adapter does with answers that go well: over a real socket, whatever way the bytes are cut."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.fakes.answers import text_of
from tests.fakes.running import FakeUpstream
from tests.llm.adapters import ADAPTERS, SECRET, Adapter, new_key, read
from webapp.llm.errors import ProviderErrorKind
from webapp.llm.providers.scripted import ScriptedProvider
from webapp.llm.rules import ChatMessage, ChatRequest, Usage


def test_whole_answer(adapter: Adapter) -> None:
    outcome = adapter.ask("tokens=20")
    assert outcome.error is None
    assert outcome.text == text_of("words", 20)
    assert outcome.finish == "stop"
    assert outcome.usage == Usage(7, 20)
    assert outcome.reasoning == ""


def test_answer_comes_as_it_is_written(adapter: Adapter) -> None:
    outcome = adapter.ask("tokens=10&rate=50")
    assert outcome.text == text_of("words", 10)
    assert outcome.reads >= 5


def test_reasoning_is_carried_apart(adapter: Adapter) -> None:
    outcome = adapter.ask("tokens=2&reasoning=3")
    assert outcome.reasoning == "thought0 thought1 thought2 "
    assert outcome.text == "word0 word1 "
    assert outcome.usage == Usage(7, 5)


def test_request_as_the_provider_gets_it(adapter: Adapter) -> None:
    key = new_key()
    messages = (ChatMessage("system", "Be terse."), ChatMessage("user", "“你好” 🍣 \x00 data:"))
    adapter.ask(f"key={key}", messages=messages, temperature=0.5, top_p=0.9, max_tokens=77)
    (call,) = adapter.upstream.calls(key)
    assert call["path"] == f"{adapter.wire}/chat/completions"
    assert call["headers"]["authorization"] == f"Bearer {SECRET}"
    assert call["headers"]["accept-encoding"] == "identity"
    body = call["body"]
    assert body["messages"] == [{"role": m.role, "content": m.content} for m in messages]
    assert (body["stream"], body["temperature"], body["top_p"], body["max_tokens"]) == (True, 0.5, 0.9, 77)


@pytest.mark.parametrize("split", [1, 2, 3, 5, 7, 1000, 4096])
def test_characters_survive_any_cut(adapter: Adapter, split: int) -> None:
    """FT-07: ten thousand Chinese characters and emoji, cut after every so many bytes."""
    expected = text_of("cjk", 10_000)
    outcome = adapter.ask(f"text=cjk&tokens=10000&split={split}")
    assert outcome.error is None
    assert _hash(outcome.text) == _hash(expected)


@pytest.mark.parametrize("eol", ["lf", "crlf", "cr"])
@pytest.mark.parametrize("extra", ["comments=1", "comments=1&split=1", "gzip=1", "gzip=1&split=3&comments=1"])
def test_line_ends_comments_and_compression(adapter: Adapter, eol: str, extra: str) -> None:
    outcome = adapter.ask(f"text=cjk&tokens=40&eol={eol}&{extra}")
    assert outcome.error is None
    assert outcome.text == text_of("cjk", 40)
    assert outcome.finish == "stop"


def test_million_chunks_of_one_byte(adapter: Adapter) -> None:
    outcome = adapter.ask("mode=trickle")
    assert outcome.error is None
    assert outcome.text == text_of("words", 20)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("length", "length"),
        ("sensitive", "filtered"),
        ("content_filter", "filtered"),
        ("tool_calls", "tool_calls"),
    ],
)
def test_ends_are_told_apart(adapter: Adapter, reason: str, finish: str) -> None:
    outcome = adapter.ask(f"tokens=3&finish={reason}")
    assert outcome.error is None
    assert outcome.finish == finish
    assert outcome.text == text_of("words", 3)


def test_finish_reason_makes_an_answer_whole_not_the_marker(adapter: Adapter) -> None:
    outcome = adapter.ask("tokens=3&done=0")
    assert outcome.error is None
    assert outcome.finish == "stop"


def test_server_that_does_not_stream(adapter: Adapter) -> None:
    outcome = adapter.ask("tokens=3&mode=json")
    assert (outcome.text, outcome.finish, outcome.usage) == (text_of("words", 3), "stop", Usage(7, 3))


def test_answer_without_usage(adapter: Adapter) -> None:
    assert adapter.ask("tokens=3&usage=0").usage is None


def test_connection_is_used_again(adapter: Adapter) -> None:
    """Each answer was read to the end of its body, so one connection serves them all."""
    adapter.ask("tokens=3")
    before = adapter.upstream.open()["connections"]
    for _ in range(10):
        assert adapter.ask("tokens=3").error is None
    assert adapter.upstream.open()["connections"] <= before


def test_server_that_knows_no_stream_options_is_asked_without(upstream: FakeUpstream, tmp_path) -> None:
    key = new_key()
    adapter = Adapter(upstream, tmp_path)
    for _ in range(2):
        assert adapter.ask(f"mode=nostreamoptions&key={key}").text == text_of("words", 20)
    asked = ["stream_options" in call["body"] for call in upstream.calls(key)]
    assert asked == [True, False, False]


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("scripted-truncated", ProviderErrorKind.TRUNCATED),
        ("scripted-fail-auth", ProviderErrorKind.AUTH),
        ("scripted-rate-limited", ProviderErrorKind.RATE_LIMITED),
        ("scripted-fail-midway", ProviderErrorKind.UNAVAILABLE),
        ("no-such-script", ProviderErrorKind.REJECTED),
    ],
)
def test_scripted_failures(script: str, kind: ProviderErrorKind) -> None:
    assert read(ScriptedProvider(0).open(_request(script))).kind is kind


@pytest.mark.parametrize(
    ("script", "finish"),
    [("scripted-echo", "stop"), ("scripted-length", "length"), ("scripted-filtered", "filtered")],
)
def test_scripted_ends(script: str, finish: str) -> None:
    outcome = read(ScriptedProvider(0).open(_request(script)))
    assert outcome.error is None
    assert outcome.finish == finish
    assert outcome.text
    assert outcome.usage is not None


def test_thinking_is_asked_for_in_the_family_s_own_way(upstream: FakeUpstream, tmp_path) -> None:
    from tests.llm.adapters import Zhipu

    bodies = []
    for make, model in ((Zhipu, "glm-4.5"), (Adapter, "glm-4.6"), (Adapter, "qwen3-8b"), (Adapter, "gpt-4o")):
        key = new_key()
        read(make(upstream, tmp_path).provider().open(_request(f"{model}?key={key}", thinking=True)))
        bodies.append(json.loads(json.dumps(upstream.calls(key)[0]["body"])))
    assert bodies[0]["thinking"] == bodies[1]["thinking"] == {"type": "enabled"}
    assert bodies[2]["enable_thinking"] is True
    assert not {"thinking", "enable_thinking"} & set(bodies[3])


def _request(model: str, *, thinking: bool | None = None) -> ChatRequest:
    return ChatRequest(model, (ChatMessage("user", "Hello"),), thinking=thinking)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_tools_go_there_and_calls_come_back(upstream: FakeUpstream, tmp_path: Path) -> None:
    """Options and messages in the OpenAI form arrive as they were given; the pieces of a call make it up again."""
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    called = [{"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]
    messages = (
        ChatMessage("user", "Hello"),
        ChatMessage("assistant", "", {"content": None, "tool_calls": called}),
        ChatMessage("tool", "sunny", {"tool_call_id": "c"}),
        ChatMessage("user", "Paris"),
    )
    options = {"tools": tools, "tool_choice": "auto", "stop": ["END"], "seed": 7}
    for name in ("openai_compatible", "zhipu"):
        adapter, key = ADAPTERS[name](upstream, tmp_path), new_key()
        order = f"key={key}&call=weather&finish=tool_calls"
        outcome = adapter.ask(order, messages=messages, options=options)
        assert (outcome.error, outcome.finish, outcome.text) == (None, "tool_calls", "")
        arguments = "".join(call["function"]["arguments"] for call in outcome.calls)
        assert json.loads(arguments) == {"city": "Paris"}
        assert (outcome.calls[0]["id"], outcome.calls[0]["index"]) == ("call_1", 0)
        (call,) = upstream.calls(key)
        assert {name: call["body"][name] for name in options} == options
        assert call["body"]["messages"] == [message.on_the_wire() for message in messages]
        assert call["body"]["messages"][2] == {"role": "tool", "content": "sunny", "tool_call_id": "c"}


def test_a_call_of_a_tool_that_is_none(adapter: Adapter) -> None:
    outcome = adapter.ask("mode=badcall")
    assert outcome.kind is ProviderErrorKind.PROTOCOL
