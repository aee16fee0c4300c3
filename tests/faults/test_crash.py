"""FT-27: everything is killed at once under load; whatever was acknowledged is there at the next start, without repair."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.browsers import HttpBrowser
from tests.chat.provider import FakeProvider, fake_provider
from tests.chat.watching import Watcher, follow, integrity, wait_for_state
from tests.conftest import make_settings, running
from tests.faults.programs import make_instance
from tests.faults.stores import MortalMariaDB, mortal_mariadb
from tests.processes import wait_for
from tests.servers import Server, serving
from tests.services import free_port
from webapp.chat.models import Conversation, Message
from webapp.extensions import db

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
ENDLESS = "endless?tokens=1000000&rate=20"
WRITERS = 4
WRITES = 40  # acknowledged, after which everything is killed


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as running_provider:
        yield running_provider


@dataclass
class Ledger:
    """What the program has told its users that it has."""

    questions: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    ending: threading.Event = field(default_factory=threading.Event)

    def write(self, url: str, writer: int) -> None:
        """Ask and rename until the end, and note what was acknowledged."""
        with contextlib.suppress(OSError, AssertionError):
            visitor = HttpBrowser(url).sign_in("wang.wei")
            for number in range(10_000):
                text = f"question {writer}-{number}"
                sent = visitor.ask(text, "scripted-echo")
                self.questions.append(text)
                title = f"title {writer}-{number}"
                self.titles.pop(sent["conversation"], None)
                if visitor.post(f"/chat/{sent['conversation']}/rename", title=title)["code"] in {
                    "200",
                    "303",
                }:
                    self.titles[sent["conversation"]] = title
                if self.ending.is_set():
                    return


def kill_everything(server: Server, database: MortalMariaDB | None) -> None:
    """Kill the database and all processes of the program, without a word to any of them."""
    if database is not None:
        database.kill()
    workers = server.workers()
    server.process.kill()
    for pid in workers:
        server.kill_worker(pid)
    server.process.wait(20)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def test_what_was_acknowledged_survives_a_crash_of_everything(
    kind: str, tmp_path: Path, template_database: Path, provider: FakeProvider
) -> None:
    with contextlib.ExitStack() as stack:
        database, url = None, ""
        if kind == "mariadb":
            database = stack.enter_context(mortal_mariadb(tmp_path))
            url = database.url(database.create())
        folder = make_instance(tmp_path / "instance", template_database, url)
        settings = {
            "DATABASE_URL": url,
            "WEB_CONCURRENCY": "2",
            "OPENAI_COMPATIBLE_BASE_URL": provider.settings["openai_compatible_base_url"],
            "LLM_OUTBOUND_ALLOW_HOSTS": ",".join(provider.settings["llm_outbound_allow_hosts"]),
            "OPENAI_COMPATIBLE_MODELS": ENDLESS,
            "MAX_STREAMS_PER_USER": "1000",
        }
        port, ledger, page = free_port(), Ledger(), Watcher()
        with serving(folder, port=port, **settings) as server:
            visitor = HttpBrowser(server.url).sign_in("lin.yue")
            answer = visitor.ask("x", ENDLESS)["answer"]
            threads = [
                threading.Thread(target=ledger.write, args=(server.url, each)) for each in range(WRITERS)
            ]
            for thread in threads:
                thread.start()
            follow(visitor, answer, page, events=10)
            wait_for(lambda: len(ledger.questions) >= WRITES)
            kill_everything(server, database)
            ledger.ending.set()
            for thread in threads:
                thread.join(60)
        if database is not None:
            database.start()
        with serving(folder, port=port, **settings):
            wait_for_state(visitor, answer, "interrupted")
            assert visitor.answer_source(answer).startswith(page.shown)
            assert page.shown
        if database is None:
            assert integrity(folder) == "ok"
        compare(folder, url, ledger)


def compare(folder: Path, url: str, ledger: Ledger) -> None:
    """Look for every entry of the ledger in the database."""
    for app in running(make_settings(folder, database_url=url)):
        with app.app_context():
            stored = list(db.session.scalars(sa.select(Message.text).where(Message.role == "user")))
            titles = {row.public_id: row.title for row in db.session.scalars(sa.select(Conversation))}
            live = db.session.scalars(sa.select(Message.text).where(Message.role == "assistant")).all()
    assert len(ledger.questions) >= WRITES
    assert set(ledger.questions) <= set(stored)
    assert len(stored) == len(set(stored)), "none twice"
    assert {key: titles.get(key) for key in ledger.titles} == ledger.titles
    assert len(live) == len(stored), "each question with its answer"
