"""FT-12: servers are replaced one after the other under load; nobody's request fails, nobody's text has a gap."""

from __future__ import annotations

import contextlib
import secrets
import signal
import threading
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.browsers import HttpBrowser
from tests.chat.provider import FakeProvider, fake_provider
from tests.chat.watching import Watcher, follow_to_the_end, wait_for_state
from tests.fakes.balancer import Balancer
from tests.faults.programs import make_instance, readiness
from tests.processes import wait_for
from tests.servers import Server, serving
from tests.services import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
SHORT = "short?tokens=50&rate=20"
ENDLESS = "endless?tokens=1000000&rate=20"
EXIT_SECONDS = 25 + 2 + 2  # graceful_timeout, DRAIN_SECONDS, and what FT-12 allows beyond


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


@dataclass
class Load:
    """People who use the program without a pause, and what went wrong for them."""

    browser: HttpBrowser
    running: bool = True
    requests: int = 0
    answers: int = 0
    faults: list[str] = field(default_factory=list)

    def read_pages(self) -> None:
        while self.running:
            try:
                assert "<h1" in self.browser.get("/chat")
                assert self.browser.post("/preferences/theme", theme="dark")["code"] in {"200", "303"}
                self.requests += 2
            except (OSError, AssertionError, urllib.error.HTTPError) as error:
                self.faults.append(f"page: {error!r}")

    def ask_and_read(self) -> None:
        """Ask, again with the same id where the server is about to end, and read to the end."""
        while self.running:
            key = secrets.token_hex(8)
            sent: dict[str, Any] = {"code": ""}
            while sent["code"] != "200":
                sent = self.browser.post("/chat/messages", text="x", model=SHORT, client_request_id=key)
                if sent["code"] not in {"200", "503"}:
                    self.faults.append(f"ask: {sent}")
                    return
            answer, page = sent["data"]["answer"], Watcher()
            follow_to_the_end(self.browser, answer, page)
            if page.state != "complete" or page.names.count("snapshot") != 1:
                self.faults.append(f"answer: {page.state} after {page.shown[-20:]}, {page.names}")
            elif page.shown.split() != [f"word{number}" for number in range(50)]:
                self.faults.append(f"text: {page.shown}")
            self.answers += 1


@pytest.mark.mariadb
def test_a_rolling_restart_fails_no_request(
    tmp_path: Path, template_database: Path, provider: FakeProvider, mariadb_empty: str
) -> None:
    """Two servers on one MariaDB behind a balancer; answers that are being written go on to their end."""
    folder, database_url = (
        make_instance(tmp_path / "instance", template_database, mariadb_empty),
        mariadb_empty,
    )
    ports = [free_port(), free_port()]
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(replaceable(folder, port, provider, database_url)) for port in ports]
        balancer = Balancer(ports)
        stack.callback(balancer.close)
        wait_for(lambda: balancer.ready == set(ports))
        load = Load(HttpBrowser(balancer.url).sign_in("lin.yue"))
        threads = [threading.Thread(target=load.read_pages) for _ in range(2)]
        threads += [threading.Thread(target=load.ask_and_read) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_for(lambda: load.answers > 3 or load.faults)
        for server in servers:
            before = load.requests
            server.replace()
            wait_for(lambda: balancer.ready == set(ports))
            wait_for(lambda before=before: load.requests > before + 10 or load.faults)
        load.running = False
        for thread in threads:
            thread.join(60)
    assert not load.faults, load.faults[:3]
    assert load.requests > 40
    assert load.answers > 6


@dataclass
class Replaceable:
    """One of the servers, which is ended as an operator does it and started again on its port."""

    start: Any
    stack: contextlib.ExitStack
    server: Server | None = None

    def replace(self) -> None:
        assert self.server is not None
        self.server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: readiness(self.server.url)[0] in {503, 0})
        assert self.server.process.wait(EXIT_SECONDS) == 0
        self.server = self.stack.enter_context(self.start())


@contextlib.contextmanager
def replaceable(folder: Path, port: int, provider: FakeProvider, database_url: str) -> Iterator[Replaceable]:
    def start() -> Any:
        return serving(
            folder,
            port=port,
            DATABASE_URL=database_url,
            DRAIN_SECONDS="2",
            OPENAI_COMPATIBLE_BASE_URL=provider.settings["openai_compatible_base_url"],
            LLM_OUTBOUND_ALLOW_HOSTS=",".join(provider.settings["llm_outbound_allow_hosts"]),
            OPENAI_COMPATIBLE_MODELS=f"{SHORT},{ENDLESS}",
            MAX_STREAMS_PER_USER="100",
        )

    with contextlib.ExitStack() as stack:
        yield Replaceable(start, stack, stack.enter_context(start()))


def test_a_server_that_is_told_to_end_takes_nothing_new(
    tmp_path: Path, template_database: Path, provider: FakeProvider
) -> None:
    """Readiness falls at once; a new question is sent away, a new stream is sent on; pages are served."""
    folder = make_instance(tmp_path / "instance", template_database)
    with replaceable(folder, free_port(), provider, "") as one:
        assert one.server
        browser = HttpBrowser(one.server.url).sign_in("lin.yue")
        answer = browser.ask("x", ENDLESS)["answer"]
        page = Watcher()
        reader = threading.Thread(target=read_once, args=(browser, answer, page))
        reader.start()
        wait_for(lambda: page.shown)
        one.server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: readiness(one.server.url)[1].get("draining") == "draining")
        assert browser.status("/chat") == 200
        refused = browser.post("/chat/messages", text="y", model=SHORT)
        assert refused["code"] == "503"
        late = Watcher()
        read_once(browser, answer, late)
        assert late.names == ["snapshot", "reconnect"]
        reader.join(60)
        assert page.names[-1] == "reconnect"
        assert one.server.process.wait(EXIT_SECONDS) == 0
        with one.start() as next_one:
            wait_for_state(browser, answer, "interrupted")
            assert HttpBrowser(next_one.url).sign_in("lin.yue").answer_source(answer).startswith(page.shown)


def read_once(browser: HttpBrowser, answer: str, page: Watcher) -> None:
    """Read a stream until it ends."""
    for event in browser.events(answer):
        page.take_event(event.name, event.data, event.id)
