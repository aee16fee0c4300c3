"""Streams that are ended from our side, many at once, and what is left open afterwards: nothing."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.fakes.answers import text_of
from tests.fakes.running import FakeUpstream
from tests.llm.adapters import PATIENCE, Adapter, Local, Outcome, new_key, read
from webapp.lib.outbound.client import Outbound
from webapp.lib.outbound.errors import OutboundError, Trouble
from webapp.lib.outbound.exchange import Exchange
from webapp.llm.errors import ProviderErrorKind
from webapp.llm.providers.contract import AnswerStream
from webapp.llm.providers.scripted import ScriptedProvider
from webapp.llm.rules import ChatMessage, ChatRequest

JOIN_SECONDS = 30


class Reading:
    """A stream that is read in a thread of its own."""

    def __init__(self, stream: AnswerStream) -> None:
        self.stream = stream
        self.outcome = Outcome()
        self._thread = threading.Thread(target=read, args=(stream, self.outcome), daemon=True)
        self._thread.start()

    def wait(self) -> Outcome:
        """Wait for the end; without one the test fails."""
        self._thread.join(JOIN_SECONDS)
        assert not self._thread.is_alive(), "the reader was not woken"
        return self.outcome


@pytest.mark.parametrize("order", ["mode=hang", "mode=stall", "first=600", "rate=20&tokens=10000"])
def test_abort_wakes_a_blocked_reader(adapter: Adapter, order: str) -> None:
    """Waiting for the head, for the first token, or within the answer: the time-outs are far beyond."""
    key = new_key()
    reading = Reading(adapter.open(f"{order}&key={key}"))
    adapter.upstream.wait_until(lambda: bool(adapter.upstream.calls(key)))
    if order not in {"mode=hang", "first=600"}:
        adapter.upstream.wait_until(lambda: bool(reading.outcome.text))
    reading.stream.abort()
    reading.stream.abort()
    assert reading.wait().aborted
    adapter.upstream.wait_until(lambda: adapter.upstream.ended(key) == {"left": 1})


def test_abort_ends_the_wait_before_another_try(adapter: Adapter) -> None:
    key = new_key()
    reading = Reading(adapter.open(f"status=429&retry_after=25&key={key}"))
    adapter.upstream.wait_until(lambda: reading.outcome.waits == [25.0])
    reading.stream.abort()
    assert reading.wait().aborted
    assert len(adapter.upstream.calls(key)) == 1


def test_abort_before_the_first_read(adapter: Adapter) -> None:
    key = new_key()
    stream = adapter.open(f"tokens=1&key={key}")
    stream.abort()
    assert read(stream).aborted
    assert adapter.upstream.calls(key) == []


def test_abort_after_the_end_disturbs_nobody(adapter: Adapter) -> None:
    """The connection has gone to another stream by then."""
    first = adapter.open("tokens=2")
    assert read(first).error is None
    second = Reading(adapter.open("tokens=30&rate=100"))
    adapter.upstream.wait_until(lambda: bool(second.outcome.text))
    first.abort()
    first.close()
    assert second.wait().text == text_of("words", 30)


def test_abort_of_a_script() -> None:
    request = ChatRequest("scripted-stall", (ChatMessage("user", "x"),))
    reading = Reading(ScriptedProvider(0).open(request))
    reading.stream.abort()
    assert reading.wait().aborted


def test_abort_wakes_who_is_connecting() -> None:
    """A port whose queue is full drops what comes: the connection is neither made nor refused."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        filling = [_started(address) for _ in range(3)]
        outbound = Outbound(
            f"http://127.0.0.1:{address[1]}", allow_hosts=[f"127.0.0.1:{address[1]}"], connect_seconds=60
        )
        exchange, troubles = Exchange(), []

        def post() -> None:
            try:
                outbound.post("/", b"", {}, exchange, first_seconds=60)
            except OutboundError as error:
                troubles.append(error.trouble)

        thread = threading.Thread(target=post, daemon=True)
        thread.start()
        while exchange._sock is None:
            time.sleep(0.01)
        exchange.abort()
        thread.join(JOIN_SECONDS)
        assert troubles == [Trouble.ABORTED]
        for each in filling:
            each.close()


def test_hundred_streams_with_one_client(adapter: Adapter) -> None:
    """The SDK's own pool stops at fifty."""
    key = new_key()
    readings = [Reading(adapter.open(f"tokens=20&rate=10&first=1&key={key}")) for _ in range(100)]
    adapter.upstream.wait_until(lambda: len(adapter.upstream.calls(key)) == 100)
    for reading in readings:
        outcome = reading.wait()
        assert outcome.error is None
        assert outcome.text == text_of("words", 20)


@pytest.mark.parametrize("leave", ["abort", "close"])
def test_fifty_leave_and_the_next_fifty_are_served(adapter: Adapter, leave: str) -> None:
    """The SDK's abandoned streams deadlock its pool; ours leave no socket behind."""
    before = adapter.upstream.open()["connections"]
    key = new_key()
    streams = [adapter.open(f"tokens=100000&rate=20&key={key}") for _ in range(50)]
    iterators = [iter(stream) for stream in streams]
    for iterator in iterators:
        next(iterator)
    for stream in streams:
        getattr(stream, leave)()
    del iterators
    for stream in streams:
        stream.close()
    adapter.upstream.wait_until(lambda: adapter.upstream.ended(key) == {"left": 50})
    readings = [Reading(adapter.open("tokens=5&rate=50")) for _ in range(50)]
    assert [reading.wait().text for reading in readings] == [text_of("words", 5)] * 50
    adapter.provider().close()
    adapter.upstream.wait_until(lambda: adapter.upstream.open()["connections"] <= before)


def test_reader_that_breaks_off_closes_its_connection(adapter: Adapter) -> None:
    key = new_key()
    for _ in adapter.open(f"tokens=100000&rate=20&key={key}"):
        break
    adapter.upstream.wait_until(lambda: adapter.upstream.ended(key) == {"left": 1})


def test_embedded_model_is_asked_no_more_than_it_has_slots(upstream: FakeUpstream, tmp_path) -> None:
    """The others wait in their order; one that leaves the queue frees nobody's slot."""
    adapter = Local(upstream, tmp_path)
    adapter.slots = 2
    key = new_key()
    running = [Reading(adapter.open(f"tokens=100000&rate=20&key={key}")) for _ in range(2)]
    upstream.wait_until(lambda: len(upstream.calls(key)) == 2)
    other = new_key()
    waiting = [Reading(adapter.open(f"tokens=3&key={other}")) for _ in range(3)]
    waiting[1].stream.abort()
    assert waiting[1].wait().aborted
    assert upstream.calls(other) == []
    running[0].stream.abort()
    assert running[0].wait().aborted
    assert [waiting[n].wait().text for n in (0, 2)] == [text_of("words", 3)] * 2
    running[1].stream.abort()
    running[1].wait()
    assert adapter.ask("tokens=3").error is None


def test_full_embedded_model_is_busy(upstream: FakeUpstream, tmp_path) -> None:
    adapter = Local(upstream, tmp_path)
    adapter.slots = 1
    key = new_key()
    patience = type(PATIENCE)(connect=2, first_token=0.5, idle=20)
    running = Reading(adapter.open(f"tokens=100000&rate=20&key={key}", patience))
    upstream.wait_until(lambda: bool(running.outcome.text))
    assert adapter.ask("tokens=1", patience).kind is ProviderErrorKind.RATE_LIMITED
    running.stream.abort()
    running.wait()


def test_embedded_model_that_is_not_there(upstream: FakeUpstream, tmp_path) -> None:
    provider = Local(upstream, tmp_path).provider()
    outcome = read(provider.open(ChatRequest("m", (ChatMessage("user", "x"),))))
    assert outcome.kind is ProviderErrorKind.UNAVAILABLE


def _started(address: tuple[str, int]) -> socket.socket:
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex(address)
    return sock
