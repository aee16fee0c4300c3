"""FT-13, FT-29: MariaDB is killed, cut off, slow, silent; what was acknowledged is there, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browsers import HttpBrowser
from tests.chat.provider import FakeProvider, fake_provider
from tests.chat.watching import Watcher, follow, follow_to_the_end
from tests.fakes.fault_proxy import FaultProxy, fault_proxy
from tests.faults.programs import make_instance, readiness
from tests.faults.stores import MortalMariaDB, mortal_mariadb
from tests.processes import wait_for
from tests.servers import Server, serving

pytestmark = [pytest.mark.slow, pytest.mark.mariadb, pytest.mark.timeout(240)]
REQUESTS = 45  # more than a process has connections
ENDLESS = "endless?tokens=1000000&rate=20"
BACK_SECONDS = 10


@dataclass
class Deployment:
    """A server, whose way to the database leads through a proxy."""

    server: Server
    database: MortalMariaDB
    proxy: FaultProxy
    name: str

    def tells(self, word: str) -> None:
        """Wait until the server says so of the database."""
        wait_for(lambda: readiness(self.server.url)[1].get("database") == word, 40)


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory, template_database: Path, provider: FakeProvider
) -> Iterator[Deployment]:
    home = tmp_path_factory.mktemp("database")
    with mortal_mariadb(home) as database, fault_proxy(database.port) as proxy:
        name = database.create()
        folder = make_instance(home / "instance", template_database, database.url(name))
        with serving(
            folder,
            DATABASE_URL=f"mysql://root@127.0.0.1:{proxy.port}/{name}",
            OPENAI_COMPATIBLE_BASE_URL=provider.settings["openai_compatible_base_url"],
            LLM_OUTBOUND_ALLOW_HOSTS=",".join(provider.settings["llm_outbound_allow_hosts"]),
            OPENAI_COMPATIBLE_MODELS=ENDLESS,
            MAX_STREAMS_PER_USER="100",
        ) as server:
            yield Deployment(server, database, proxy, name)


@pytest.fixture
def visitor(deployment: Deployment) -> HttpBrowser:
    deployment.tells("ok")
    return HttpBrowser(deployment.server.url).sign_in("lin.yue")


def test_a_killed_database_comes_back_to_whole_answers(deployment: Deployment, visitor: HttpBrowser) -> None:
    """FT-13: clean refusals while it is down; text that streams is kept, and saved when it is back."""
    answer, page = visitor.ask("x", ENDLESS)["answer"], Watcher()
    follow(visitor, answer, page, events=5)
    shown = page.shown
    deployment.database.kill()
    deployment.tells("unreachable")
    for _ in range(5):
        refused = visitor.post("/chat/messages", text="Down", model="scripted-echo")
        assert (refused["code"], refused["data"]["reason"]) == ("503", "database_unavailable")
        assert visitor.status("/chat") == 503
    assert visitor.status("/healthz/live") == 200
    deployment.database.start()
    wait_for(lambda: visitor.status("/chat") == 200, BACK_SECONDS)
    deployment.tells("ok")
    follow(visitor, answer, page, events=5)
    assert page.shown.startswith(shown)
    assert page.names.count("snapshot") == 1
    assert visitor.post(f"/chat/answers/{answer}/stop")["code"] == "200"
    follow_to_the_end(visitor, answer, page)
    assert page.state == "stopped"
    words = visitor.answer_source(answer).split()
    assert words[:-1] == [f"word{number}" for number in range(len(words) - 1)], "nothing was left out"
    assert visitor.answer_source(answer).startswith(page.shown)


def test_killed_and_idle_connections_are_nobody_s_error(deployment: Deployment, visitor: HttpBrowser) -> None:
    """FT-13: every pooled connection is dead, once by KILL, once by `wait_timeout`; no request notices."""
    for _ in range(3):
        assert deployment.database.kill_connections(deployment.name)
        assert [visitor.status("/chat") for _ in range(6)] == [200] * 6
        assert visitor.post("/preferences/theme", theme="dark")["code"] != "503"
    deployment.database.execute("SET GLOBAL wait_timeout=1")
    try:
        assert [visitor.status("/chat") for _ in range(6)] == [200] * 6
        time.sleep(2.5)
        assert [visitor.status("/chat") for _ in range(6)] == [200] * 6
    finally:
        deployment.database.execute("SET GLOBAL wait_timeout=28800")


def test_connections_killed_under_writes_leave_no_half_of_one(
    deployment: Deployment, visitor: HttpBrowser
) -> None:
    """FT-13: what was acknowledged is there whole, once; what was refused was refused cleanly."""
    acknowledged: list[str] = []
    refused: list[str] = []
    strange: list[object] = []
    ending = threading.Event()

    def write(number: int) -> None:
        count = 0
        while not ending.is_set():
            count += 1
            text = f"question {number}-{count}"
            answer = visitor.post("/chat/messages", text=text, model="scripted-echo")
            (acknowledged if answer["code"] == "200" else refused).append(text)
            if answer["code"] not in {"200", "503"}:
                strange.append(answer)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(25):
        deployment.database.kill_connections(deployment.name)
        time.sleep(0.1)
    ending.set()
    for thread in threads:
        thread.join(60)
    assert not strange, strange[:3]
    assert acknowledged
    rows = deployment.database.rows(
        f"SELECT q.text, COUNT(a.id) FROM {deployment.name}.messages q LEFT JOIN {deployment.name}.messages a "
        "ON a.conversation_id = q.conversation_id AND a.position = 1 WHERE q.role = 'user' GROUP BY q.id, q.text"
    )
    stored = [text for text, _ in rows if text.startswith("question")]
    assert len(stored) == len(set(stored)), "none twice"
    assert set(acknowledged) <= set(stored)
    assert {answers for text, answers in rows if text.startswith("question")} == {1}, (
        "each with its answer's row"
    )


@pytest.mark.parametrize("fault", ["slow", "silent"])
def test_a_slow_database_delays_only_what_needs_it(
    deployment: Deployment, visitor: HttpBrowser, fault: str
) -> None:
    """FT-29: more requests than connections; all are answered while the fault lasts, the last ones with 503."""
    if fault == "slow":
        deployment.proxy.delay_seconds = 0.5
    else:
        deployment.proxy.silence()
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(visitor.status("/chat"))) for _ in range(REQUESTS)
    ]
    try:
        for thread in threads:
            thread.start()
        wait_for(lambda: 503 in found)
        assert all(visitor.status("/healthz/live") == 200 for _ in range(10))
        if fault == "silent":
            for thread in threads:
                thread.join(60)
            assert set(found) == {503}, "while nothing comes through, and without waiting for it"
    finally:
        deployment.proxy.resume()
    for thread in threads:
        thread.join(60)
    assert len(found) == REQUESTS
    assert set(found) <= {200, 503}
    wait_for(lambda: [visitor.status("/chat") for _ in range(6)] == [200] * 6, BACK_SECONDS)
    deployment.tells("ok")
    wait_for(lambda: deployment.proxy.connections <= 30)


def test_a_cut_network_is_nobody_s_error(deployment: Deployment, visitor: HttpBrowser) -> None:
    deployment.proxy.cut()
    assert [visitor.status("/chat") for _ in range(10)] == [200] * 10
