"""The circuit breaker: five failures in a minute leave a provider alone, one success brings it back (FT-02)."""

from __future__ import annotations

import threading

import pytest

from tests.fakes.running import FakeUpstream
from tests.llm.adapters import Adapter, new_key, read
from webapp.lib import clock
from webapp.llm.errors import ProviderErrorKind as Kind
from webapp.llm.providers.breaker import FAILURES, PAUSE_SECONDS, WITHIN_SECONDS


class Clock:
    """A monotonic clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moving = Clock()
    monkeypatch.setattr(clock, "monotonic", moving)
    return moving


def fail(adapter: Adapter, times: int, key: str) -> None:
    for _ in range(times):
        assert adapter.ask(f"status=429&retry_after=99&key={key}").kind is Kind.RATE_LIMITED


def test_opens_after_failures_and_spares_the_provider(adapter: Adapter, ticking: Clock) -> None:
    key, other = new_key(), new_key()
    fail(adapter, FAILURES, key)
    refused = adapter.ask(f"tokens=1&key={other}")
    assert refused.kind is Kind.RATE_LIMITED
    assert 0 < refused.error.retry_after_seconds <= PAUSE_SECONDS
    assert adapter.upstream.calls(other) == []


def test_stays_closed_when_failures_are_far_apart(adapter: Adapter, ticking: Clock) -> None:
    for _ in range(FAILURES * 2):
        fail(adapter, 1, new_key())
        ticking.now += WITHIN_SECONDS / (FAILURES - 2)
    assert adapter.ask("tokens=1").error is None


def test_one_success_closes_it(adapter: Adapter, ticking: Clock) -> None:
    fail(adapter, FAILURES, new_key())
    ticking.now += PAUSE_SECONDS + 1
    assert adapter.ask("tokens=1").error is None
    fail(adapter, FAILURES - 1, new_key())
    assert adapter.ask("tokens=1").error is None


def test_failed_trial_opens_it_again(adapter: Adapter, ticking: Clock) -> None:
    fail(adapter, FAILURES, new_key())
    ticking.now += PAUSE_SECONDS + 1
    fail(adapter, 1, new_key())
    key = new_key()
    assert adapter.ask(f"tokens=1&key={key}").error is not None
    assert adapter.upstream.calls(key) == []


def test_only_one_tries_at_a_time(upstream: FakeUpstream, tmp_path, ticking: Clock) -> None:
    adapter = Adapter(upstream, tmp_path)
    fail(adapter, FAILURES, new_key())
    ticking.now += PAUSE_SECONDS + 1
    trial = adapter.open("tokens=3&comments=1&first=2")
    waiting = iter(trial)
    thread = threading.Thread(target=lambda: next(waiting, None))
    thread.start()
    upstream.wait_until(lambda: upstream.open()["streams"] == 1)
    assert adapter.ask("tokens=1").error is not None
    thread.join()
    trial.close()
    assert adapter.ask("tokens=1").error is None


def test_trial_that_is_aborted_leaves_room_for_another(adapter: Adapter, ticking: Clock) -> None:
    fail(adapter, FAILURES, new_key())
    ticking.now += PAUSE_SECONDS + 1
    stream = adapter.open("tokens=1")
    stream.abort()
    assert read(stream).aborted
    assert adapter.ask("tokens=1").error is None


def test_faults_of_the_request_do_not_count(adapter: Adapter, ticking: Clock) -> None:
    for status in (400, 401, 402, 404) * 2:
        adapter.ask(f"status={status}")
    assert adapter.ask("tokens=1").error is None
