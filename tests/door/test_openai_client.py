"""The official OpenAI client, unchanged, against the running server: whole, streamed, with tools, cancelled."""

from __future__ import annotations

import json
import time
from typing import Any

import openai
import pytest

from tests.door.conftest import Door
from tests.door.orders import ORDERS
from tests.fakes.answers import text_of

HELLO: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
WEATHER: Any = [
    {
        "type": "function",
        "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {}}}},
    }
]


def test_a_whole_answer(door: Door) -> None:
    answer = door.client().chat.completions.create(
        model=ORDERS["plain"], messages=HELLO, temperature=0.5, max_tokens=99, stop="END", seed=7, user="x"
    )
    choice = answer.choices[0]
    assert (choice.message.role, choice.message.content) == ("assistant", text_of("words", 20))
    assert (choice.finish_reason, answer.object, answer.model) == ("stop", "chat.completion", ORDERS["plain"])
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (
        7,
        20,
        27,
    )
    assert answer.id.startswith("chatcmpl-")
    (call,) = door.upstream.calls("plain")
    sent = {name: call["body"][name] for name in ("messages", "temperature", "max_tokens", "stop", "seed")}
    assert sent == {"messages": HELLO, "temperature": 0.5, "max_tokens": 99, "stop": ["END"], "seed": 7}
    assert door.entries(ORDERS["plain"]) == [("complete", 7, 20, 0, 7 * 2 + 20 * 4, "lin.yue")]


def test_a_streamed_answer(door: Door) -> None:
    stream = door.client().chat.completions.create(
        model=ORDERS["paced"], messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks, came = [], []
    for chunk in stream:
        chunks.append(chunk)
        came.append(time.monotonic())
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text_of("words", 40)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert {chunk.id for chunk in chunks} == {chunks[0].id}
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == [
        "stop"
    ]
    assert [c.usage.completion_tokens for c in chunks if c.usage] == [40]
    assert chunks[-1].choices == []
    assert len(chunks) > 20, "it comes as it is written"
    assert came[-1] - came[0] > 0.5, "and when it is written"


def test_without_usage_where_it_was_not_asked_for(door: Door) -> None:
    stream = door.client().chat.completions.create(model=ORDERS["unreported"], messages=HELLO, stream=True)
    assert all(chunk.usage is None for chunk in stream)
    ((ending, asked, written, estimated, _cost, _name),) = door.entries(ORDERS["unreported"])
    assert (ending, estimated) == ("complete", 1)
    assert asked > 0
    assert written > 0


def test_reasoning_comes_apart(door: Door) -> None:
    client, told = door.client(), "thought0 thought1 thought2 "
    answer = client.chat.completions.create(model=ORDERS["reasoning"], messages=HELLO)
    assert answer.choices[0].message.reasoning_content == told  # type: ignore[attr-defined]
    stream = client.chat.completions.create(model=ORDERS["reasoning"], messages=HELLO, stream=True)
    pieces = [getattr(chunk.choices[0].delta, "reasoning_content", None) or "" for chunk in stream]
    assert "".join(pieces) == told


@pytest.mark.parametrize(("model", "reason"), [("cut", "length"), ("filtered", "content_filter")])
def test_how_it_ended(door: Door, model: str, reason: str) -> None:
    answer = door.client().chat.completions.create(model=ORDERS[model], messages=HELLO)
    assert answer.choices[0].finish_reason == reason


def test_tools(door: Door) -> None:
    """A call goes out whole and in pieces; its answer, and the message as it came, go back."""
    client, messages = door.client(), [{"role": "user", "content": "Paris"}]
    more: Any = {"model": ORDERS["tool"], "tools": WEATHER, "tool_choice": "auto"}
    answer = client.chat.completions.create(messages=messages, **more)  # type: ignore[arg-type]
    message = answer.choices[0].message
    assert message.content is None
    assert message.tool_calls is not None
    called = message.tool_calls[0]
    assert called.type == "function"
    assert (called.function.name, json.loads(called.function.arguments)) == ("weather", {"city": "Paris"})
    assert answer.choices[0].finish_reason == "tool_calls"
    back: Any = [*messages, message, {"role": "tool", "tool_call_id": called.id, "content": "sunny"}]
    with client.chat.completions.stream(messages=back, **more) as stream:
        final = stream.get_final_completion()
    again = final.choices[0].message.tool_calls
    assert again is not None
    assert json.loads(again[0].function.arguments) == {"city": "sunny"}
    sent = door.upstream.calls("tool")[-1]["body"]
    assert sent["tools"] == WEATHER
    assert sent["messages"][1]["tool_calls"][0]["id"] == called.id
    assert sent["messages"][2] == {"role": "tool", "content": "sunny", "tool_call_id": called.id}


def test_parts_of_text_are_one_text_and_pictures_stay_parts(door: Door) -> None:
    client = door.client()
    parts: Any = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    client.chat.completions.create(model=ORDERS["parts"], messages=[{"role": "user", "content": parts}])
    assert door.upstream.calls("parts")[-1]["body"]["messages"][0]["content"] == "ab"
    parts = [parts[0], {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    client.chat.completions.create(model=ORDERS["parts"], messages=[{"role": "user", "content": parts}])
    assert door.upstream.calls("parts")[-1]["body"]["messages"][0]["content"] == parts
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(model="scripted-echo", messages=[{"role": "user", "content": parts}])
    assert refusal.value.param == "messages"


def test_models(door: Door) -> None:
    client = door.client()
    listed = {model.id: model for model in client.models.list()}
    assert set(ORDERS.values()) < set(listed)
    one = client.models.retrieve(ORDERS["plain"])
    assert (one.id, one.owned_by, one.object) == (ORDERS["plain"], "openai_compatible", "model")
    with pytest.raises(openai.NotFoundError) as refusal:
        client.models.retrieve("nonsense")
    assert refusal.value.code == "model_not_found"


@pytest.mark.parametrize("model", ["long", "silent"])
def test_a_client_that_leaves_half_way(door: Door, model: str) -> None:
    """Also before the first word: nothing is written then that could fail, and yet it is noticed."""
    key = model
    if model == "long":
        stream = door.client().chat.completions.create(model=ORDERS[model], messages=HELLO, stream=True)
        for _number, _chunk in zip(range(5), stream, strict=False):
            pass
        stream.close()
    else:
        with pytest.raises(openai.APITimeoutError):
            door.client(timeout=0.3).chat.completions.create(model=ORDERS[model], messages=HELLO, stream=True)
    door.upstream.wait_until(lambda: door.upstream.ended(key) == {"left": 1})
    ((ending, _asked, written, estimated, _cost, _name),) = door.entries(ORDERS[model])
    assert (ending, estimated) == ("stopped", 1)
    assert (written > 0) == (model == "long")


def test_a_client_that_gives_up_on_a_whole_answer(door: Door) -> None:
    with pytest.raises(openai.APITimeoutError):
        door.client(timeout=0.5).chat.completions.create(model=ORDERS["slow"], messages=HELLO)
    door.upstream.wait_until(lambda: door.upstream.ended("slow") == {"left": 1})
    assert door.entries(ORDERS["slow"])[0][0] == "stopped"
