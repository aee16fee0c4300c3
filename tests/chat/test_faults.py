"""Faults made to happen to real servers: killed workers, lost connections, other processes, restarts."""

from __future__ import annotations

import random
import shutil
import signal
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.browsers import HttpBrowser
from tests.chat.provider import FakeProvider, fake_provider
from tests.chat.reading import Page
from tests.chat.watching import (
    WAIT_SECONDS,
    Watcher,
    follow,
    follow_to_the_end,
    holder_of,
    integrity,
    raw_stream,
    take_lines,
    wait_for_state,
    wait_for_writer,
    writers_of,
)
from tests.conftest import make_settings
from tests.people import add_user
from tests.processes import wait_for
from tests.servers import Server, serving
from webapp.app import create_app
from webapp.extensions import db
from webapp.lib import markdown

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
ENDLESS = "endless?tokens=1000000&rate=20"
STOPPED = "stopped?tokens=1000000&rate=20&key=stopped"
ONCE = "once?tokens=8&rate=20&key=once"


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


@pytest.fixture(scope="module")
def variables(provider: FakeProvider) -> dict[str, str]:
    """The settings of a server whose models are at the provider."""
    return {
        "OPENAI_COMPATIBLE_BASE_URL": provider.settings["openai_compatible_base_url"],
        "LLM_OUTBOUND_ALLOW_HOSTS": ",".join(provider.settings["llm_outbound_allow_hosts"]),
        "OPENAI_COMPATIBLE_MODELS": ",".join([ENDLESS, STOPPED, ONCE]),
        "MAX_STREAMS_PER_USER": "100",
    }


def make_folder(folder: Path, template: Path) -> Path:
    """Make an instance folder in which Lin Yue has an account."""
    folder.mkdir(exist_ok=True)
    shutil.copy(template, folder / "agent-tools.db")
    app = create_app(make_settings(folder))
    add_user(app, "lin.yue", "Lin Yue")
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    return folder


@pytest.fixture
def folder(tmp_path: Path, template_database: Path) -> Path:
    return make_folder(tmp_path / "instance", template_database)


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, template_database: Path, variables: dict[str, str]
) -> Iterator[Server]:
    """Four worker processes on one SQLite database, without Redis; killed ones are replaced."""
    folder = make_folder(tmp_path_factory.mktemp("faults") / "instance", template_database)
    with serving(folder, WEB_CONCURRENCY="4", **variables) as running:
        wait_for(lambda: len(running.workers()) == 4)
        yield running
        for pid in running.workers():  # what is under way is nobody's any more
            running.kill_worker(pid)


@pytest.fixture
def visitor(server: Server) -> HttpBrowser:
    return HttpBrowser(server.url).sign_in("lin.yue")


# -- readers -------------------------------------------------------------------------------------------------


def test_reconnects_at_random_show_every_character_once(visitor: HttpBrowser, server: Server) -> None:
    """FT-09: readers in four processes break off and come back at random places; another browser is among them."""
    sent = [visitor.ask("x", "scripted-markdown") for _ in range(3)]
    other = HttpBrowser(server.url).sign_in("lin.yue")
    rng = random.Random(7)
    pages: list[tuple[str, Page]] = []

    def read(answer: str, browser: HttpBrowser, seed: float) -> None:
        chance, page = random.Random(seed), Watcher()
        while page.state == "streaming":
            follow(browser, answer, page, events=chance.randint(1, 6))
        pages.append((answer, page))

    threads = [
        threading.Thread(target=read, args=(each["answer"], browser, rng.random()))
        for each in sent
        for browser in (visitor, visitor, other)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert len(pages) == 18
    for answer, page in pages:
        assert page.state == "complete"
        assert page.html == markdown.render(visitor.answer_source(answer))


def test_answer_goes_on_when_everybody_leaves(visitor: HttpBrowser) -> None:
    """FT-08: the reader's connection is cut at once; the answer is stored whole."""
    sent = visitor.ask("x", "scripted-markdown")
    follow(visitor, sent["answer"], Watcher(), events=1)
    wait_for_state(visitor, sent["answer"], "complete")
    assert "后面的文字" in visitor.answer_source(sent["answer"])


def test_readers_who_left_and_readers_who_never_read_are_let_go(visitor: HttpBrowser, server: Server) -> None:
    """FT-08, R4: closed, reset and silent connections; everybody else is served meanwhile."""
    quiet = visitor.ask("x", "scripted-stall")["answer"]
    loud = visitor.ask("x", ENDLESS)["answer"]
    gone = [raw_stream(server, visitor, answer) for answer in (quiet, loud) for _ in range(5)]
    silent = [raw_stream(server, visitor, loud, buffer=2_048) for _ in range(20)]
    ports = {each.getsockname()[1] for each in (*gone, *silent)}
    for number, connection in enumerate(gone):
        assert connection.recv(10)
        if number % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert holder_of(server, ports)
    other = visitor.ask("Hello", "scripted-echo")
    wait_for_state(visitor, other["answer"], "complete")
    wait_for(lambda: not holder_of(server, ports), seconds=120)
    for connection in silent:
        connection.close()
    for answer in (quiet, loud):
        assert visitor.answer_state(answer) == "streaming", "an answer does not depend on who reads it"
        visitor.post(f"/chat/answers/{answer}/stop")


# -- stopping, repeating -------------------------------------------------------------------------------------


def test_stop_works_from_any_process_and_closes_the_provider_s_connection(
    visitor: HttpBrowser, provider: FakeProvider
) -> None:
    """FT-10: each request may reach any of four processes; pressed twice, and once more after the end."""
    for number in range(1, 6):
        answer = visitor.ask("x", STOPPED)["answer"]
        provider.wait_for_calls("stopped", number)
        page = follow(visitor, answer, Watcher(), events=3)
        for _ in range(2):
            assert visitor.post(f"/chat/answers/{answer}/stop")["code"] == "200"
        follow_to_the_end(visitor, answer, page)
        assert page.state == "stopped"
        assert visitor.post(f"/chat/answers/{answer}/stop")["code"] == "200"
        stored = visitor.answer_source(answer)
        assert stored.startswith(page.shown)
        assert stored
    wait_for(lambda: provider.ended("stopped") == {"left": 5})


def test_twenty_identical_requests_are_one_question_and_one_call(
    visitor: HttpBrowser, provider: FakeProvider
) -> None:
    """FT-30: the same request id twenty times at once, at four processes."""
    answers: list[str] = []

    def send() -> None:
        answers.append(visitor.ask("Just once", ONCE, client_request_id="the-same-request")["answer"])

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert len(answers) == 20
    assert len(set(answers)) == 1
    wait_for_state(visitor, answers[0], "complete")
    asked = [each["body"]["messages"][0]["content"] for each in provider.calls("once")]
    assert asked.count("Just once") == 1, asked


# -- ends of processes ---------------------------------------------------------------------------------------


def test_a_worker_that_is_told_to_end_sends_its_readers_on(visitor: HttpBrowser, server: Server) -> None:
    """FT-12: the reader comes back at another process, without a gap; its answer goes on all the while."""
    answer = visitor.ask("x", ENDLESS)["answer"]
    writer = wait_for_writer(server, answer)
    while True:
        connection = raw_stream(server, visitor, answer)
        stream = connection.makefile("rb")
        assert stream.readline().startswith(b"HTTP/1.1 200")
        (holder,) = holder_of(server, {connection.getsockname()[1]})
        if holder != writer:
            break
        connection.close()
    psutil.Process(holder).send_signal(signal.SIGTERM)
    page = Watcher()
    take_lines(stream, page)
    assert page.names[0] == "snapshot"
    assert page.names[-1] == "reconnect"
    connection.close()
    follow(visitor, answer, page, events=20)
    assert "snapshot" not in page.names[1:]
    visitor.post(f"/chat/answers/{answer}/stop")
    follow_to_the_end(visitor, answer, page)
    assert page.state == "stopped"
    assert visitor.answer_source(answer).startswith(page.shown)
    wait_for(lambda: len(server.workers()) == 4 and holder not in server.workers())


def test_killed_workers_lose_nothing_that_was_shown(visitor: HttpBrowser, server: Server) -> None:
    """FT-11: kill -9 of each worker in turn, under streams; the others' answers do not notice."""
    workers = server.workers()
    answers: list[str] = []
    while len(answers) < 24 or {writers_of(server)[each] for each in answers} < set(workers):
        answers.append(visitor.ask("x", ENDLESS)["answer"])
        assert len(answers) < 90
    writers = writers_of(server)
    pages = {answer: Watcher() for answer in answers}
    threads = [
        threading.Thread(target=follow_to_the_end, args=(visitor, answer, page))
        for answer, page in pages.items()
    ]
    for thread in threads:
        thread.start()
    wait_for(lambda: all(page.shown for page in pages.values()))
    for number, victim in enumerate(workers):
        server.kill_worker(victim)
        for answer in answers:
            if writers[answer] == victim:
                wait_for_state(visitor, answer, "interrupted")
        for answer in answers:
            if writers[answer] in workers[number + 1 :]:
                assert visitor.answer_state(answer) == "streaming"
        wait_for(lambda: len(server.workers()) == 4)
    for thread in threads:
        thread.join(WAIT_SECONDS)
    for answer, page in pages.items():
        assert page.state == "interrupted"
        assert visitor.answer_source(answer).startswith(page.shown)
    shown = pages[answers[0]].shown
    card = visitor.get(f"/chat/answers/{answers[0]}")
    assert "This answer stopped early" in card
    assert "Continue" in card
    visitor.post(f"/chat/answers/{answers[0]}/continue")
    page = follow(visitor, answers[0], Watcher(), events=5)
    assert page.tail.startswith(shown)
    visitor.post(f"/chat/answers/{answers[0]}/stop")
    wait_for_state(visitor, answers[0], "stopped")


def test_restarted_server_interrupts_and_keeps(folder: Path, variables: dict[str, str]) -> None:
    """FT-12, FT-27: all of it is killed; the next start shows what was committed."""
    with serving(folder, **variables) as first:
        browser = HttpBrowser(first.url).sign_in("lin.yue")
        answer = browser.ask("x", ENDLESS)["answer"]
        page = follow(browser, answer, Watcher(), events=8)
        workers = first.workers()
        first.process.kill()
        for pid in workers:
            first.kill_worker(pid)
        first.process.wait(20)
        port = first.url.rpartition(":")[2]
    with serving(folder, port=int(port), **variables):
        wait_for_state(browser, answer, "interrupted")
        assert browser.answer_source(answer).startswith(page.shown)
        assert page.shown
    assert integrity(folder) == "ok"


def test_stopped_server_sends_readers_on_and_ends_answers(folder: Path, variables: dict[str, str]) -> None:
    """FT-12: TERM; open streams are told to come back, what was written is kept."""
    with serving(folder, **variables) as running:
        browser = HttpBrowser(running.url).sign_in("lin.yue")
        answer = browser.ask("x", ENDLESS)["answer"]
        page = Watcher()
        reader = threading.Thread(target=follow, args=(browser, answer, page))
        reader.start()
        wait_for(lambda: "delta" in page.names)
        running.stop()
        reader.join(WAIT_SECONDS)
        assert page.names[-1] in {"reconnect", "done"}
        port = running.url.rpartition(":")[2]
    with serving(folder, port=int(port), **variables):
        wait_for_state(browser, answer, "interrupted")
        assert browser.answer_source(answer).startswith(page.shown)
