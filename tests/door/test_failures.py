"""What goes wrong at the OpenAI-compatible door is told in OpenAI's form: never a silent end."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.door.conftest import Door
from tests.door.orders import ORDERS
from tests.processes import wait_for

HELLO: Any = [{"role": "user", "content": "Hello"}]


@pytest.fixture(autouse=True)
def well_again(door: Door) -> Iterator[None]:
    """An answer that goes well after each test: after five failures in a row a provider is left alone."""
    yield
    door.client().chat.completions.create(model=ORDERS["parts"], messages=HELLO)


def post(door: Door, body: Any, *, path: str = "/v1/chat/completions", token: str | None = None) -> Any:
    """Return status, headers and text of an answer, whatever they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if token != "":
        headers["Authorization"] = f"Bearer {token or door.tokens['lin.yue']}"
    request = urllib.request.Request(door.server.url + path, raw, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def read(door: Door, model: str, pieces: list[str]) -> None:
    """Read a stream as programs do."""
    stream = door.client().chat.completions.create(model=model, messages=HELLO, stream=True)
    pieces.extend(chunk.choices[0].delta.content or "" for chunk in stream)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "error", "code", "calls"),
    [
        ("wrong key", openai.InternalServerError, "provider_auth", 1),
        ("busy", openai.RateLimitError, "provider_rate_limited", 1),
        ("broken", openai.InternalServerError, "provider_unavailable", 3),
        ("refused", openai.BadRequestError, "provider_rejected", 1),
        ("hanging", openai.InternalServerError, "provider_timeout", 1),
    ],
)
def test_a_provider_that_gives_nothing(
    door: Door, model: str, error: type[openai.APIStatusError], code: str, calls: int, stream: bool
) -> None:
    before = len(door.upstream.calls(model.replace(" ", "")))
    with pytest.raises(error) as refusal:
        door.client().chat.completions.create(model=ORDERS[model], messages=HELLO, stream=stream)
    assert refusal.value.code == code
    assert refusal.value.message
    if model == "busy":
        assert refusal.value.response.headers["Retry-After"] == "77"
    if model == "wrong key":
        assert "Bearer" not in refusal.value.response.text
    assert refusal.value.response.headers["X-Request-Id"]
    assert len(door.upstream.calls(model.replace(" ", ""))) - before == calls
    assert {row[0] for row in door.entries(ORDERS[model])} == {"failed"}


@pytest.mark.parametrize("model", ["stalled", "truncated", "unfinished", "garbage"])
def test_a_provider_that_breaks_off(door: Door, model: str) -> None:
    """Streamed: what came, then an error, and no end marker. Whole: an error, and nothing of what came."""
    pieces: list[str] = []
    with pytest.raises(openai.APIError) as broken:
        read(door, ORDERS[model], pieces)
    text = "".join(pieces)
    assert text.startswith("word0 word1")
    assert (broken.value.body or {})["code"].startswith("provider_")  # type: ignore[index]
    status, _headers, raw = post(door, {"model": ORDERS[model], "messages": HELLO, "stream": True})
    assert status == 200
    assert "[DONE]" not in raw
    assert '"finish_reason":"stop"' not in raw
    assert raw.rstrip().splitlines()[-1].startswith('data: {"error"')
    with pytest.raises(openai.InternalServerError):
        door.client().chat.completions.create(model=ORDERS[model], messages=HELLO)
    assert {row[0] for row in door.entries(ORDERS[model])} == {"interrupted"}


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        (b"{", 400, None, "bad_request"),
        (b"[]", 400, "body", "invalid"),
        (b"", 400, None, "bad_request"),
        ({"messages": HELLO}, 400, "model", "invalid"),
        ({"model": "plain", "messages": []}, 400, "messages", "invalid"),
        ({"model": "plain", "messages": HELLO}, 404, "model", "model_not_found"),
        ({"model": 1, "messages": HELLO}, 400, "model", "invalid"),
        ({"model": "scripted-echo", "messages": HELLO, "n": 2}, 400, "n", "invalid"),
        ({"model": "scripted-echo", "messages": HELLO, "temperature": 3}, 400, "temperature", "invalid"),
        ({"model": "scripted-echo", "messages": HELLO, "nonsense": 1}, 400, "nonsense", "invalid"),
        ({"model": "scripted-echo", "messages": HELLO, "functions": []}, 400, "functions", "invalid"),
        ({"model": "scripted-echo", "messages": HELLO, "seed": 1}, 400, "seed", "unsupported"),
        ({"model": "scripted-echo", "messages": HELLO, "logprobs": True}, 400, "logprobs", "invalid"),
        (
            {"model": "scripted-echo", "messages": HELLO, "tool_choice": "required"},
            400,
            "tool_choice",
            "invalid",
        ),
        (
            {"model": "scripted-echo", "messages": [{"role": "user", "content": None}]},
            400,
            "messages.0.content",
            "invalid",
        ),
        (
            {"model": "scripted-echo", "messages": [{"role": "tool", "content": "x", "tool_call_id": "c"}]},
            400,
            "messages",
            "unsupported",
        ),
    ],
)
def test_what_cannot_be_asked(door: Door, body: Any, status: int, param: str | None, code: str) -> None:
    told, _headers, text = post(door, body)
    assert told == status, text
    error = json.loads(text)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["param"], error["code"], error["type"]) == (param, code, "invalid_request_error")
    assert error["message"]


def test_what_says_nothing_is_no_reason_to_refuse(door: Door) -> None:
    """Programs send these with every call, whatever the model."""
    body = {
        "model": "scripted-echo",
        "messages": HELLO,
        "presence_penalty": 0,
        "frequency_penalty": 0.0,
        "n": 1,
    }
    body |= {
        "logit_bias": {},
        "tools": [],
        "tool_choice": "auto",
        "stop": [],
        "response_format": {"type": "text"},
    }
    body |= {"user": "x", "metadata": {}, "store": False, "logprobs": False, "parallel_tool_calls": True}
    status, _headers, text = post(door, body)
    assert status == 200, text
    assert json.loads(text)["choices"][0]["message"]["content"] == "Hello"


@pytest.mark.parametrize(
    ("token", "path", "status", "code", "kind"),
    [
        ("", "/v1/chat/completions", 401, "token_missing", "authentication_error"),
        ("at_" + "x" * 43, "/v1/chat/completions", 401, "token_invalid", "authentication_error"),
        ("zhao.liu", "/v1/chat/completions", 403, "scope_missing", "permission_error"),
        ("lin.yue", "/v1/nonsense", 404, "not_found", "invalid_request_error"),
        ("lin.yue", "/v1/models", 405, "method_not_allowed", "invalid_request_error"),
    ],
)
def test_refusals_of_the_framework(
    door: Door, token: str, path: str, status: int, code: str, kind: str
) -> None:
    body = {"model": "scripted-echo", "messages": HELLO}
    told, headers, text = post(door, body, path=path, token=door.tokens.get(token, token))
    assert told == status, text
    error = json.loads(text)["error"]
    assert (error["code"], error["type"]) == (code, kind)
    assert headers["X-Request-Id"]
    assert "Set-Cookie" not in headers


def test_so_many_answers_at_once_and_no_more(door: Door) -> None:
    """Five by default, chats included; somebody else's do not count."""
    client = door.client("wang.wei")
    streams = [
        client.chat.completions.create(model=ORDERS["many"], messages=HELLO, stream=True) for _ in range(5)
    ]
    with pytest.raises(openai.RateLimitError) as refusal:
        client.chat.completions.create(model=ORDERS["many"], messages=HELLO, stream=True)
    assert refusal.value.code == "too_many_answers"
    assert int(refusal.value.response.headers["Retry-After"]) > 0
    door.client().chat.completions.create(model="scripted-echo", messages=HELLO)
    for stream in streams:
        stream.close()
    assert [row[0] for row in door.entries(ORDERS["many"])] == ["stopped"] * 5


def test_a_token_that_is_revoked_meanwhile(door: Door) -> None:
    """The stream ends within seconds, and not as if the answer were whole."""
    client = door.client("zhang.min")
    stream = client.chat.completions.create(model=ORDERS["withdrawn"], messages=HELLO, stream=True)
    next(stream)
    door.write(
        "UPDATE api_tokens SET revoked_at = CURRENT_TIMESTAMP WHERE subject_id IN "
        "(SELECT id FROM users WHERE username = 'zhang.min')"
    )
    with pytest.raises(openai.APIError) as broken:
        list(stream)
    assert broken.value.code == "token_invalid"
    door.upstream.wait_until(lambda: door.upstream.ended("withdrawn") == {"left": 1})
    assert door.entries(ORDERS["withdrawn"])[0][0] == "stopped"


def test_a_worker_that_is_killed(door: Door) -> None:
    """Its calls come into the ledger all the same, by the worker that takes its place."""
    broken: list[Exception] = []

    def read_on() -> None:
        try:
            read(door, ORDERS["killed"], [])
        except (openai.APIError, OSError) as error:
            broken.append(error)

    reader = threading.Thread(target=read_on)
    reader.start()
    wait_for(lambda: door.rows("SELECT 1 FROM running_calls WHERE model = ?", ORDERS["killed"]))
    wait_for(lambda: door.upstream.open()["streams"])
    for worker in door.server.workers():
        door.server.kill_worker(worker)
    reader.join()
    door.server.wait_until_ready()
    assert broken, "a stream that breaks must not look like one that ended"
    assert door.entries(ORDERS["killed"])[0][:4] == ("interrupted", 2, 0, 1)
