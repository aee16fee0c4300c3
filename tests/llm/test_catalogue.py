"""Which models are offered and who answers for them, as the settings have it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from pydantic import SecretStr

from tests.chat.waiting import ask, source, wait_for_end
from tests.conftest import make_settings
from tests.fakes.answers import text_of
from tests.fakes.running import FakeUpstream
from tests.llm.adapters import SECRET, new_key, read
from tests.pages import PageClient
from webapp.config import Settings
from webapp.llm import service as llm
from webapp.llm.errors import ProviderError
from webapp.llm.local import endpoint
from webapp.llm.local.endpoint import LocalEndpoint
from webapp.llm.providers.local import within_bounds
from webapp.llm.rules import ChatMessage, ChatRequest


@pytest.fixture
def settings(instance: Path, upstream: FakeUpstream) -> Settings:
    """Everything is set up: Zhipu, another service, and a file for the embedded model."""
    own = instance / "my-model.gguf"
    own.touch()
    return make_settings(
        instance,
        zhipuai_api_key=SECRET,
        zhipuai_base_url=upstream.zhipu_url,
        zhipuai_models=("glm-4-flash", "shared", "glm-4.5", "glm-z1-flash"),
        openai_compatible_api_key="sk-test",
        openai_compatible_base_url=upstream.openai_url,
        openai_compatible_models=("other", "shared", "deepseek-reasoner"),
        local_model=str(own),
        scripted_models=False,
        llm_outbound_allow_hosts=(upstream.host,),
    )


def change(app: Flask, **values: object) -> None:
    app.extensions["settings"] = app.extensions["settings"].model_copy(update=values)


def test_models_in_the_order_of_their_providers(app: Flask) -> None:
    with app.test_request_context():
        found = [(m.name, m.provider, m.available) for m in llm.models()]
    assert found == [
        ("glm-4-flash", "zhipu", True),
        ("shared", "zhipu", True),
        ("glm-4.5", "zhipu", True),
        ("glm-z1-flash", "zhipu", True),
        ("other", "openai_compatible", True),
        ("openai_compatible:shared", "openai_compatible", True),
        ("deepseek-reasoner", "openai_compatible", True),
        ("my-model", "local", False),
    ]


def test_models_that_think(app: Flask) -> None:
    with app.test_request_context():
        thinking = {m.name for m in llm.models() if m.thinking}
        assert thinking == {"glm-4.5", "glm-z1-flash", "deepseek-reasoner"}
        assert llm.label_of("glm-4-flash") == "GLM-4-Flash"
        assert llm.label_of("openai_compatible:shared") == "shared (127.0.0.1)"
        assert llm.label_of("a-model-of-old") == "a-model-of-old"


@pytest.mark.parametrize(
    ("model", "path", "asked"),
    [
        ("shared", "/api/paas/v4/chat/completions", "shared"),
        ("openai_compatible:shared", "/v1/chat/completions", "shared"),
        ("other", "/v1/chat/completions", "other"),
    ],
)
def test_name_leads_to_its_provider(
    app: Flask, upstream: FakeUpstream, model: str, path: str, asked: str
) -> None:
    key = new_key()
    if model != "other":
        change(app, zhipuai_models=(f"shared?key={key}",), openai_compatible_models=(f"shared?key={key}",))
    else:
        change(app, openai_compatible_models=(f"other?key={key}",))
    with app.test_request_context():
        outcome = read(llm.open_stream(ChatRequest(f"{model}?key={key}", (ChatMessage("user", "x"),))))
    assert outcome.error is None
    (call,) = upstream.calls(key)
    assert (call["path"], call["body"]["model"]) == (path, f"{asked}?key={key}")


def test_changed_settings_hold_at_once(app: Flask, upstream: FakeUpstream) -> None:
    """An administrator renews a key while the program runs."""
    key = new_key()
    change(app, openai_compatible_models=(f"other?key={key}",))
    request = ChatRequest(f"other?key={key}", (ChatMessage("user", "x"),))
    with app.test_request_context():
        assert read(llm.open_stream(request)).error is None
        change(app, openai_compatible_api_key=SecretStr("sk-renewed"))
        assert read(llm.open_stream(request)).error is None
    sent = [call["headers"]["authorization"] for call in upstream.calls(key)]
    assert sent == ["Bearer sk-test", "Bearer sk-renewed"]


def test_model_that_is_not_offered(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(ProviderError, match="no provider offers"):
        llm.open_stream(ChatRequest("nonsense", (ChatMessage("user", "x"),)))


def test_default_is_what_the_settings_name_or_the_first_that_can_be_asked(app: Flask) -> None:
    with app.test_request_context():
        assert llm.default_model().name == "glm-4-flash"
        change(app, default_model="other")
        assert llm.default_model().name == "other"
        change(app, default_model="my-model")
        assert llm.default_model().name == "glm-4-flash"
        change(app, zhipuai_api_key=SecretStr(""), openai_compatible_base_url="")
        assert llm.default_model() is None


def test_embedded_model_is_offered_honestly(app: Flask, instance: Path) -> None:
    change(app, local_model="auto")
    with app.test_request_context():
        (found,) = (m for m in llm.models() if m.provider == "local")
        assert not found.available
        assert "missing" in found.hint
        publish(instance, "http://127.0.0.1:1/v1", "smollm2-135m-instruct")
        (found,) = (m for m in llm.models() if m.provider == "local")
    assert found.available
    assert found.label == "SmolLM2 135M"
    assert re.search("tiny.*English only", found.hint)


def test_chat_with_a_provider_over_a_socket(app: Flask, signed_in: PageClient) -> None:
    """From the page to the wire and back."""
    change(app, openai_compatible_models=("fake?tokens=30&reasoning=2&rate=200",))
    sent = ask(signed_in, "Hello", "fake?tokens=30&reasoning=2&rate=200")
    assert wait_for_end(signed_in, sent["answer"]) == "complete"
    assert source(signed_in, sent["answer"]) == text_of("words", 30)
    page = signed_in.get(f"/chat/answers/{sent['answer']}").text
    assert "thought0 thought1" in page
    assert "39 tokens" in page


@pytest.mark.parametrize(
    ("order", "state", "words"),
    [
        ("status=401", "failed", "does not accept our key"),
        ("status=402", "failed", "has no credit left"),
        ("mode=html", "failed", "sent something we cannot read"),
        ("mode=cut", "interrupted", "provider broke off"),
        ("finish=length", "length", "cut off"),
        ("finish=sensitive", "filtered", "content filter"),
    ],
)
def test_failures_as_the_page_tells_them(
    app: Flask, signed_in: PageClient, order: str, state: str, words: str
) -> None:
    model = f"fake?{order}"
    change(app, openai_compatible_models=(model,))
    sent = ask(signed_in, "Hello", model)
    assert wait_for_end(signed_in, sent["answer"]) == state
    assert words in signed_in.get(f"/chat/answers/{sent['answer']}").text


def publish(folder: Path, base_url: str, model: str) -> LocalEndpoint:
    where = LocalEndpoint(base_url, "k", model, 4, 2048, 1024, demonstration=True)
    endpoint.publish(folder, "ready", where=where)
    return where


def test_request_to_the_embedded_model_keeps_its_bounds(instance: Path) -> None:
    where = publish(instance, "http://127.0.0.1:1/v1", "m")
    history = [ChatMessage("user" if n % 2 == 0 else "assistant", f"{n} " + "word " * 300) for n in range(9)]
    asked = within_bounds(ChatRequest("m", tuple(history), max_tokens=5000), where)
    assert asked.max_tokens <= 1024
    assert asked.messages[-1] == history[-1]
    assert asked.messages[0].role == "user"
    assert 1 <= len(asked.messages) < 9
    long = within_bounds(ChatRequest("m", (ChatMessage("user", "长" * 5000),)), where)
    assert len(long.messages) == 1
    assert long.max_tokens == 128
