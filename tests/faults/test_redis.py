"""FT-16: whatever becomes of Redis, people sign in, ask and read on; limits hold; the loss is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browsers import HttpBrowser
from tests.chat.provider import FakeProvider, fake_provider
from tests.chat.watching import Watcher, follow, follow_to_the_end, wait_for_state
from tests.faults.programs import make_instance, readiness
from tests.faults.stores import PrivateRedis, private_redis
from tests.processes import wait_for
from tests.servers import Server, serving

pytestmark = [pytest.mark.slow, pytest.mark.redis, pytest.mark.timeout(240)]
ENDLESS = "endless?tokens=1000000&rate=20"
SEARCHES = 60  # a person may make in a minute
BACK_SECONDS = 30


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRedis]:
    with private_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory,
    template_database: Path,
    store: PrivateRedis,
    provider: FakeProvider,
) -> Iterator[Server]:
    """Two workers, started while Redis is down."""
    folder = make_instance(tmp_path_factory.mktemp("faults") / "instance", template_database)
    with serving(
        folder,
        WEB_CONCURRENCY="2",
        REDIS_URL=store.url,
        RATE_LIMITS="true",
        OPENAI_COMPATIBLE_BASE_URL=provider.settings["openai_compatible_base_url"],
        LLM_OUTBOUND_ALLOW_HOSTS=",".join(provider.settings["llm_outbound_allow_hosts"]),
        OPENAI_COMPATIBLE_MODELS=ENDLESS,
    ) as running:
        yield running


def tells(server: Server, word: str) -> None:
    """Wait until both workers say so of Redis; they stay ready all the while."""

    def look() -> bool:
        found = [readiness(server.url) for _ in range(8)]
        assert all(status == 200 for status, _ in found), found
        return all(checks["redis"] == word for _, checks in found)

    wait_for(look, seconds=BACK_SECONDS)


def works(server: Server, answer: str, browser: HttpBrowser, page: Watcher) -> None:
    """Sign in, ask and read; the answer that has been under way since before goes on."""
    visitor = HttpBrowser(server.url).sign_in("wang.wei")
    sent = visitor.ask("Hello", "scripted-echo")
    done = follow_to_the_end(visitor, sent["answer"], Watcher())
    assert done.state == "complete"
    assert "Hello" in visitor.answer_source(sent["answer"])
    before = len(page.shown)
    follow(browser, answer, page, events=8)
    assert len(page.shown) > before


def test_every_fault_of_redis_degrades_and_loses_nothing(server: Server, store: PrivateRedis) -> None:
    """Down at boot, killed, frozen, emptied, full, a read-only replica: one after the other, under an answer."""
    tells(server, "degraded")
    browser, page = HttpBrowser(server.url).sign_in("lin.yue"), Watcher()
    answer = browser.ask("x", ENDLESS)["answer"]
    works(server, answer, browser, page)
    store.start()
    tells(server, "ok")
    works(server, answer, browser, page)
    faults = {
        "killed": (store.kill, store.start),
        "frozen": (store.freeze, store.thaw),
        "full": (
            lambda: store.command("CONFIG", "SET", "maxmemory", 1),
            lambda: store.command("CONFIG", "SET", "maxmemory", 0),
        ),
        "replica": (
            lambda: store.command("REPLICAOF", "127.0.0.1", 1),
            lambda: store.command("REPLICAOF", "NO", "ONE"),
        ),
    }
    for begin, end in faults.values():
        begin()
        tells(server, "degraded")
        works(server, answer, browser, page)
        end()
        tells(server, "ok")
        works(server, answer, browser, page)
    store.command("FLUSHALL")
    works(server, answer, browser, page)
    assert browser.post(f"/chat/answers/{answer}/stop")["code"] == "200"
    wait_for_state(browser, answer, "stopped")
    assert browser.answer_source(answer).startswith(page.shown)
    keys = store.command("KEYS", "*")
    assert isinstance(keys, list)
    assert keys
    assert all(store.command("PTTL", key) > 0 for key in keys), "nothing is kept for ever"


def test_limits_hold_across_processes_and_without_redis(server: Server, store: PrivateRedis) -> None:
    """D6: both workers count together; without Redis each knows what it has let pass itself."""
    store.start()
    tells(server, "ok")
    browser = HttpBrowser(server.url).sign_in("lin.yue")
    store.command("FLUSHALL")
    passed = [searches(browser) for _ in range(3 * SEARCHES)]
    assert sum(passed) == SEARCHES
    store.kill()
    tells(server, "degraded")
    passed = [searches(browser) for _ in range(3 * SEARCHES)]
    assert sum(passed) <= SEARCHES, "together they have let pass what two processes may"
    assert not any(passed[-5:])
    store.start()
    tells(server, "ok")


def searches(browser: HttpBrowser) -> bool:
    """Search, and tell whether that was within the limit."""
    status = browser.status("/chat/search?q=x")
    assert status in {200, 429}
    return status == 200


def test_a_frozen_redis_delays_nobody_who_reads(server: Server, store: PrivateRedis) -> None:
    """A reader in the other process, whose text would come by a hint, gets it without."""
    store.start()
    tells(server, "ok")
    browser = HttpBrowser(server.url).sign_in("lin.yue")
    answer = browser.ask("x", ENDLESS)["answer"]
    pages = [Watcher() for _ in range(6)]
    threads = [threading.Thread(target=follow_to_the_end, args=(browser, answer, page)) for page in pages]
    for thread in threads:
        thread.start()
    wait_for(lambda: all(page.shown for page in pages))
    store.freeze()
    tells(server, "degraded")
    before = [len(page.shown) for page in pages]
    wait_for(lambda: all(len(page.shown) > was for page, was in zip(pages, before, strict=True)))
    browser.post(f"/chat/answers/{answer}/stop")
    for thread in threads:
        thread.join(60)
    assert {page.state for page in pages} == {"stopped"}
    store.thaw()
    tells(server, "ok")
