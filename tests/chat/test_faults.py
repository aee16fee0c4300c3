"""Faults made to happen to real servers: killed workers, lost connections, other processes, restarts."""

from __future__ import annotations

import random
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.browsers import HttpBrowser
from tests.chat.reading import Page
from tests.people import Person
from tests.servers import Server, serving
from webapp.lib import markdown

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
WAIT_SECONDS = 60


@pytest.fixture
def folder(app: Flask, user: Person, instance: Path) -> Path:
    """An instance folder in which Lin Yue has an account."""
    assert app
    assert user
    return instance


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    """Two worker processes on one SQLite database, without Redis."""
    with serving(folder, WEB_CONCURRENCY="2") as running:
        yield running


@pytest.fixture
def visitor(server: Server) -> HttpBrowser:
    return HttpBrowser(server.url).sign_in("lin.yue")


def follow(browser: HttpBrowser, answer: str, page: Page, *, events: int | None = None) -> Page:
    """Read on from where the page is, to the end or for so many events."""
    for number, event in enumerate(browser.events(answer, page.id), 1):
        page.apply(event.name, event.data, event.id)
        if event.name == "done" or number == events:
            break
    return page


def follow_to_the_end(browser: HttpBrowser, answer: str, page: Page) -> Page:
    """Do what the page does: come back whenever the line breaks."""
    deadline = time.monotonic() + WAIT_SECONDS
    while page.state == "streaming" and time.monotonic() < deadline:
        try:
            follow(browser, answer, page)
        except OSError:
            time.sleep(0.2)
    return page


def wait_for_state(browser: HttpBrowser, answer: str, *wanted: str) -> str:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            if (state := browser.answer_state(answer)) in wanted:
                return state
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"not {wanted}")


def words_of(html: str, tail: str) -> list[str]:
    return re.findall(r"word\d+", re.sub(r"<[^>]+>", "", html) + tail)


def test_reconnects_at_random_show_every_character_once(visitor: HttpBrowser, server: Server) -> None:
    """FT-09: readers in both processes break off and come back at random places."""
    sent = [visitor.ask("x", "scripted-markdown") for _ in range(3)]
    rng = random.Random(7)
    pages: list[tuple[str, Page]] = []

    def read(answer: str) -> None:
        mine = HttpBrowser(server.url)
        mine.cookies = visitor.cookies
        mine.opener = visitor.opener
        page = Page()
        while page.state == "streaming":
            follow(mine, answer, page, events=rng.randint(1, 6))
        pages.append((answer, page))

    threads = [threading.Thread(target=read, args=(each["answer"],)) for each in sent for _ in range(6)]
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
    follow(visitor, sent["answer"], Page(), events=1)
    assert wait_for_state(visitor, sent["answer"], "complete") == "complete"
    assert "后面的文字" in visitor.answer_source(sent["answer"])


def test_stop_works_from_any_process(visitor: HttpBrowser) -> None:
    """FT-10: among so many requests some reach the process that does not write the answer."""
    for _ in range(6):
        sent = visitor.ask("x", "scripted-stall")
        visitor.post(f"/chat/answers/{sent['answer']}/stop")
        assert wait_for_state(visitor, sent["answer"], "stopped") == "stopped"


def test_killed_worker_loses_nothing_that_was_shown(visitor: HttpBrowser, server: Server) -> None:
    """FT-11: kill -9 in mid-answer; the page comes back by itself, has all it showed, and can go on."""
    sent = visitor.ask("x", "scripted-slow")
    page = follow(visitor, sent["answer"], Page(), events=12)
    shown = words_of(page.html, page.tail)
    assert len(shown) > 5
    for pid in server.workers():
        server.kill_worker(pid)
    follow_to_the_end(visitor, sent["answer"], page)
    assert page.state == "interrupted"
    stored = visitor.answer_source(sent["answer"])
    assert words_of("", stored)[: len(shown) - 1] == shown[:-1]
    card = visitor.get(f"/chat/answers/{sent['answer']}")
    assert "This answer stopped early" in card
    assert "Continue" in card
    visitor.post(f"/chat/answers/{sent['answer']}/continue")
    page = Page()
    follow(visitor, sent["answer"], page, events=5)
    assert words_of(page.html, page.tail)[: len(shown) - 1] == shown[:-1]


def test_other_process_s_answers_survive_a_killed_worker(visitor: HttpBrowser, server: Server) -> None:
    answers = [visitor.ask("x", "scripted-slow")["answer"] for _ in range(5)]
    writers = writers_of(server)
    victim, survivor = server.workers()
    if len({writers[a] for a in answers if a in writers}) < 2:
        pytest.xfail("by chance one process writes all five")
    server.kill_worker(victim)
    for answer in answers:
        if writers[answer] == survivor:
            assert visitor.answer_state(answer) == "streaming"
        else:
            wait_for_state(visitor, answer, "interrupted")


def test_restarted_server_interrupts_and_keeps(folder: Path) -> None:
    """FT-12, FT-27: all of it is killed; the next start shows what was committed."""
    with serving(folder) as first:
        browser = HttpBrowser(first.url).sign_in("lin.yue")
        sent = browser.ask("x", "scripted-slow")
        page = follow(browser, sent["answer"], Page(), events=8)
        first.process.kill()
        for pid in first.workers():
            first.kill_worker(pid)
        first.process.wait(20)
        port = first.url.rpartition(":")[2]
    with serving(folder, port=int(port)) as second:
        wait_for_state(browser, sent["answer"], "interrupted")
        shown = words_of(page.html, page.tail)
        assert words_of("", browser.answer_source(sent["answer"]))[: len(shown) - 1] == shown[:-1]
        assert second.workers()
    assert integrity(folder) == "ok"


def test_stopped_server_sends_readers_on_and_ends_answers(folder: Path) -> None:
    """FT-12: TERM; open streams are told to come back, what was written is kept."""
    with serving(folder) as running:
        browser = HttpBrowser(running.url).sign_in("lin.yue")
        sent = browser.ask("x", "scripted-slow")
        page = Page()
        reader = threading.Thread(target=follow, args=(browser, sent["answer"], page))
        reader.start()
        while "delta" not in page.names:
            time.sleep(0.05)
        running.stop()
        reader.join(WAIT_SECONDS)
        assert page.names[-1] in {"reconnect", "done"}
        port = running.url.rpartition(":")[2]
    with serving(folder, port=int(port)):
        assert wait_for_state(browser, sent["answer"], "interrupted") == "interrupted"
        shown = words_of(page.html, page.tail)
        assert words_of("", browser.answer_source(sent["answer"]))[: len(shown) - 1] == shown[:-1]


def test_clients_that_never_read_hold_nobody_up(visitor: HttpBrowser, server: Server) -> None:
    """R4: forty streams are opened and never read; everybody else is served."""
    sent = visitor.ask("x", "scripted-slow")
    cookie = "; ".join(f"{c.name}={c.value}" for c in visitor.cookies)
    host, port = server.url.removeprefix("http://").split(":")
    silent = []
    for _ in range(40):
        connection = socket.create_connection((host, int(port)))
        connection.sendall(
            f"GET /chat/answers/{sent['answer']}/events HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        silent.append(connection)
    other = visitor.ask("Hello", "scripted-echo")
    assert wait_for_state(visitor, other["answer"], "complete") == "complete"
    for connection in silent:
        connection.close()
    visitor.post(f"/chat/answers/{sent['answer']}/stop")
    wait_for_state(visitor, sent["answer"], "stopped")


def writers_of(server: Server) -> dict[str, int]:
    """Return which process writes which answer."""
    folder = server.environment["INSTANCE_PATH"]
    with sqlite3.connect(f"{folder}/agent-tools.db") as connection:
        rows = connection.execute(
            "SELECT m.public_id, g.process FROM generations g JOIN messages m ON m.id = g.message_id"
        ).fetchall()
    return {answer: int(process.split("/")[1]) for answer, process in rows}


def integrity(folder: Path) -> str:
    with sqlite3.connect(folder / "agent-tools.db") as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
