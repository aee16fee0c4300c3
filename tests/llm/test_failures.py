"""Every way a provider can fail (FT-01 to FT-07), made to happen over a real socket to every adapter."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from tests.fakes.answers import text_of
from tests.fakes.running import ROOT, FakeUpstream
from tests.llm.adapters import SECRET, SHORT, Adapter, new_key
from tests.services import free_port
from webapp.llm.errors import ProviderErrorKind as Kind

FIVE = text_of("words", 5)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_key_is_asked_once(adapter: Adapter, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """FT-01, N3, N4: one call; the key is in no error and no log, though the provider repeats it."""
    caplog.set_level(logging.DEBUG)
    key = new_key()
    outcome = adapter.ask(f"status={status}&mode=echo_key&key={key}")
    assert outcome.kind is Kind.AUTH
    assert len(adapter.upstream.calls(key)) == 1
    assert "wrong key" in outcome.error.detail
    for text in (str(outcome.error), repr(outcome.error), outcome.error.detail, caplog.text):
        assert SECRET not in text
        assert "s3cr3t" not in text


def test_wait_that_is_asked_for_is_told_and_kept(adapter: Adapter) -> None:
    """FT-02."""
    key = new_key()
    outcome = adapter.ask(f"status=429&retry_after=1&times=1&key={key}")
    assert outcome.error is None
    assert outcome.text == text_of("words", 20)
    assert outcome.waits == [1.0]
    first, second = adapter.upstream.calls(key)
    assert second["at"] - first["at"] >= 1.0


def test_busy_provider_is_given_up_after_three_calls(adapter: Adapter) -> None:
    """FT-02: the SDK's retries and ours are not multiplied."""
    key = new_key()
    outcome = adapter.ask(f"status=429&key={key}")
    assert outcome.kind is Kind.RATE_LIMITED
    assert len(adapter.upstream.calls(key)) == 3


@pytest.mark.parametrize("wait", ["9999", "Wed, 01 Jan 2098 00:00:00 GMT"])
def test_wait_beyond_the_bound_is_not_waited_for(adapter: Adapter, wait: str) -> None:
    """FT-02."""
    key = new_key()
    outcome = adapter.ask(f"status=429&retry_after={wait}&key={key}")
    assert outcome.kind is Kind.RATE_LIMITED
    assert outcome.error.retry_after_seconds > 30
    assert outcome.waits == []
    assert len(adapter.upstream.calls(key)) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_failing_server_is_asked_again(adapter: Adapter, status: int) -> None:
    """FT-03."""
    key = new_key()
    outcome = adapter.ask(f"status={status}&times=2&key={key}")
    assert outcome.error is None
    assert outcome.text == text_of("words", 20)
    assert len(adapter.upstream.calls(key)) == 3


def test_server_that_hangs_up_is_asked_again(adapter: Adapter) -> None:
    """FT-03."""
    key = new_key()
    outcome = adapter.ask(f"mode=refuse&times=1&key={key}")
    assert outcome.text == text_of("words", 20)
    assert len(adapter.upstream.calls(key)) == 2


@pytest.mark.parametrize("mode", ["cut", "rst", "cutchunk", "badjson", "error200", "stall"])
def test_nothing_is_asked_again_once_text_has_come(adapter: Adapter, mode: str) -> None:
    """FT-03: a second answer would repeat or change what was read."""
    key = new_key()
    outcome = adapter.ask(f"mode={mode}&key={key}&rate=200", SHORT)
    assert outcome.error is not None
    assert outcome.text == FIVE
    assert len(adapter.upstream.calls(key)) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Kind.REJECTED),
        (404, Kind.REJECTED),
        (402, Kind.QUOTA),
        (302, Kind.PROTOCOL),
        (204, Kind.PROTOCOL),
    ],
)
def test_other_refusals_are_final(adapter: Adapter, status: int, kind: Kind) -> None:
    key = new_key()
    outcome = adapter.ask(f"status={status}&location=http://127.0.0.1:1/&key={key}")
    assert outcome.kind is kind
    assert len(adapter.upstream.calls(key)) == 1


def test_nobody_listens(adapter: Adapter) -> None:
    """FT-04: refused at once, a few times."""
    adapter.upstream = FakeUpstream(free_port(), 0)
    outcome = adapter.ask("tokens=1")
    assert outcome.kind is Kind.UNAVAILABLE


def test_head_that_does_not_come(adapter: Adapter) -> None:
    """FT-04."""
    key = new_key()
    outcome = adapter.ask(f"mode=hang&key={key}", SHORT)
    assert outcome.kind is Kind.TIMEOUT
    assert len(adapter.upstream.calls(key)) == 1
    adapter.upstream.wait_until(lambda: adapter.upstream.ended(key) == {"left": 1})


def test_first_token_that_does_not_come(adapter: Adapter) -> None:
    """FT-04: the head and comments are no answer."""
    key = new_key()
    outcome = adapter.ask(f"comments=1&first=30&key={key}", SHORT)
    assert outcome.kind is Kind.TIMEOUT
    adapter.upstream.wait_until(lambda: adapter.upstream.ended(key) == {"left": 1})


def test_comments_do_not_prolong_the_wait(adapter: Adapter) -> None:
    """FT-04: a provider that sends a comment now and then for ever."""
    outcome = adapter.ask(f"mode=comments&key={new_key()}", SHORT)
    assert outcome.kind is Kind.TIMEOUT


def test_silence_in_the_middle(adapter: Adapter) -> None:
    """FT-05: what came is kept, the connection is closed."""
    key = new_key()
    outcome = adapter.ask(f"mode=stall&after=20&tokens=40&key={key}", SHORT)
    assert outcome.kind is Kind.STALLED
    assert outcome.text == text_of("words", 20)
    adapter.upstream.wait_until(lambda: adapter.upstream.ended(key) == {"left": 1})


@pytest.mark.parametrize(
    "order", ["mode=cut", "mode=cutchunk", "mode=rst&rate=200", "finish=none", "finish=none&done=0"]
)
def test_broken_off_is_never_whole(adapter: Adapter, order: str) -> None:
    """FT-06."""
    outcome = adapter.ask(f"tokens=10&{order}")
    assert outcome.kind is Kind.TRUNCATED
    assert outcome.finish is None
    assert outcome.text.startswith(FIVE)


def test_body_shorter_than_its_length(adapter: Adapter) -> None:
    """FT-06."""
    outcome = adapter.ask("tokens=10&finish=none&done=0&length=1000000")
    assert outcome.kind is Kind.TRUNCATED


def test_network_error_as_a_finish_reason(adapter: Adapter) -> None:
    """FT-06: Zhipu tells so that its own line broke."""
    key = new_key()
    outcome = adapter.ask(f"tokens=5&finish=network_error&key={key}")
    assert outcome.kind is Kind.UNAVAILABLE
    assert outcome.text == FIVE
    assert len(adapter.upstream.calls(key)) == 1


@pytest.mark.parametrize(
    ("order", "text"),
    [
        ("mode=html", ""),
        ("mode=badjson", FIVE),
        ("mode=error200", FIVE),
        ("mode=emptychoices", ""),
        ("mode=hugeline", ""),
        ("mode=hugeline&gzip=1", ""),
        ("mode=noise", ""),
    ],
)
def test_garbage(adapter: Adapter, order: str, text: str) -> None:
    """FT-07."""
    outcome = adapter.ask(order)
    assert outcome.kind is Kind.PROTOCOL
    assert outcome.text == text


@pytest.mark.parametrize("packed", ["", "&gzip=1"])
def test_line_of_fifty_megabytes_costs_no_memory(upstream: FakeUpstream, packed: str) -> None:
    """FT-07: in a process of its own, whose greatest size is read before and after."""
    script = (
        "import sys, resource, pathlib\n"
        "from tests.fakes.running import FakeUpstream\n"
        "from tests.llm.adapters import Adapter\n"
        "adapter = Adapter(FakeUpstream(int(sys.argv[1]), 0), pathlib.Path())\n"
        "assert adapter.ask('tokens=1000').error is None\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(adapter.ask('mode=hugeline' + sys.argv[2]).kind)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    command = [sys.executable, "-c", script, str(upstream.port), packed]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    kind, kilobytes = done.stdout.split()
    assert kind == "provider_protocol"
    assert int(kilobytes) < 20_000


def test_refused_content_is_told_as_filtered(adapter: Adapter) -> None:
    outcome = adapter.ask("status=400&mode=filtered")
    assert outcome.error is None
    assert outcome.finish == "filtered"
