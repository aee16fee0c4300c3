"""The public Python face: usable anywhere, and clear about what went wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.fakes.answers import text_of
from tests.fakes.running import ROOT, FakeUpstream
from tests.llm.adapters import SECRET, new_key
from webapp.llm.client import LLMClient
from webapp.llm.errors import ProviderError, ProviderErrorKind


def ask(upstream: FakeUpstream, order: str, **more: str) -> str:
    return LLMClient.generate(
        message="What is WAL?",
        api_key=SECRET,
        model=f"fake?{order}",
        base_url=upstream.openai_url,
        allow_hosts=(upstream.host,),
        **more,
    )


def test_generate_returns_the_whole_answer(upstream: FakeUpstream) -> None:
    key = new_key()
    assert ask(upstream, f"tokens=12&reasoning=2&key={key}", prompt="You are terse.") == text_of("words", 12)
    assert upstream.calls(key)[0]["body"]["messages"] == [
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": "What is WAL?"},
    ]


def test_generate_stream_yields_as_it_is_written(upstream: FakeUpstream) -> None:
    key = new_key()
    pieces = LLMClient.generate_stream(
        message="x",
        api_key=SECRET,
        model=f"fake?tokens=100000&rate=50&key={key}",
        base_url=upstream.openai_url,
        allow_hosts=(upstream.host,),
    )
    assert next(pieces).startswith("word0")
    pieces.close()
    upstream.wait_until(lambda: upstream.ended(key) == {"left": 1})


@pytest.mark.parametrize(
    ("order", "kind", "words"),
    [
        ("status=401", ProviderErrorKind.AUTH, "does not accept the key"),
        ("mode=cut", ProviderErrorKind.TRUNCATED, "broke off"),
        ("mode=html", ProviderErrorKind.PROTOCOL, "cannot be read"),
        ("finish=sensitive", ProviderErrorKind.REJECTED, "content filter"),
    ],
)
def test_failures_are_told_in_words(
    upstream: FakeUpstream, order: str, kind: ProviderErrorKind, words: str
) -> None:
    with pytest.raises(ProviderError, match=words) as caught:
        ask(upstream, order)
    assert caught.value.kind is kind
    assert SECRET not in str(caught.value)


def test_wrong_form_of_a_zhipu_key() -> None:
    with pytest.raises(ProviderError, match="with one dot") as caught:
        LLMClient.generate(message="x", api_key="no-dot-in-this-key")
    assert "no-dot-in-this-key" not in str(caught.value)


def test_empty_message() -> None:
    with pytest.raises(ProviderError, match="empty"):
        LLMClient.generate_stream(message="  ", api_key=SECRET)


def test_private_server_must_be_listed(upstream: FakeUpstream) -> None:
    with pytest.raises(ProviderError, match="not called"):
        LLMClient.generate(message="x", api_key=SECRET, base_url=upstream.openai_url)


def test_works_in_a_bare_interpreter(upstream: FakeUpstream) -> None:
    """Without application, settings, or working directory of ours; the SDK is not loaded for other servers."""
    script = (
        "import sys\n"
        "from webapp.llm.client import LLMClient\n"
        "print(LLMClient.generate(prompt='p', message='m', api_key='k', model='fake?tokens=3',"
        " base_url=sys.argv[1], allow_hosts=(sys.argv[2],)))\n"
        "assert 'zhipuai' not in sys.modules\n"
    )
    command = [sys.executable, "-c", script, upstream.openai_url, upstream.host]
    environment = {"PYTHONPATH": str(ROOT), "ENV_FILE": "/dev/null"}
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == text_of("words", 3) + "\n", done.stderr
