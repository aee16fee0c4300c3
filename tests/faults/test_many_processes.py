"""Four web workers on two servers and two schedulers share one database: what is done in one holds in all."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.browsers import HttpBrowser
from tests.chat.provider import FakeProvider, fake_provider
from tests.chat.watching import Watcher, follow, follow_to_the_end
from tests.conftest import make_settings, running
from tests.faults.programs import make_instance
from tests.faults.stores import private_redis
from tests.processes import Program, program, wait_for
from tests.servers import ROOT, Server, serving
from tests.services import free_port
from webapp.audit import service as audit
from webapp.extensions import db
from webapp.settings import service as settings_service
from webapp.tasks.models import TaskRun

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
ENDLESS = "endless?tokens=1000000&rate=20"
SEARCHES = 60  # a person may make in a minute, in all processes together where there is Redis


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("mariadb and redis", marks=[pytest.mark.mariadb, pytest.mark.redis]),
    ]
)
def deployment(
    request: pytest.FixtureRequest, tmp_path: Path, template_database: Path, provider: FakeProvider
) -> Iterator[dict[str, str]]:
    """The settings all processes share; everything they need runs."""
    whole = request.param != "sqlite"
    url = request.getfixturevalue("mariadb_empty") if whole else ""
    folder = make_instance(tmp_path / "instance", template_database, url)
    shared = {
        "INSTANCE_PATH": str(folder),
        "DATABASE_URL": url,
        "REDIS_URL": "",
        "SCHEDULER": "off",
        "OPENAI_COMPATIBLE_BASE_URL": provider.settings["openai_compatible_base_url"],
        "LLM_OUTBOUND_ALLOW_HOSTS": ",".join(provider.settings["llm_outbound_allow_hosts"]),
        "OPENAI_COMPATIBLE_MODELS": ENDLESS,
        "MAX_STREAMS_PER_USER": "100",
        "RATE_LIMITS": "true",
    }
    if not whole:
        yield shared
        return
    with private_redis(tmp_path) as store:
        store.start()
        yield shared | {"REDIS_URL": store.url}


@pytest.fixture
def servers(deployment: dict[str, str]) -> Iterator[list[Server]]:
    with contextlib.ExitStack() as stack:
        folder = Path(deployment["INSTANCE_PATH"])
        yield [
            stack.enter_context(serving(folder, WEB_CONCURRENCY="2", **rest(deployment))) for _ in range(2)
        ]


@pytest.fixture
def schedulers(servers: list[Server], tmp_path: Path) -> Iterator[list[Program]]:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "scheduler", "run"]
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                program(
                    command,
                    cwd=ROOT,
                    log=tmp_path / f"{n}.log",
                    port=free_port(),
                    **rest(servers[0].environment),
                )
            )
            for n in range(2)
        ]


def rest(settings: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name != "PORT"}


def test_what_is_done_in_one_process_holds_in_all(
    servers: list[Server], schedulers: list[Program], deployment: dict[str, str]
) -> None:
    here, there = (HttpBrowser(server.url).sign_in("lin.yue") for server in servers)
    # an answer that is written by one server is read, left, resumed and stopped at the other
    answer, page = here.ask("x", ENDLESS)["answer"], Watcher()
    for number in range(6):
        follow((here, there)[number % 2], answer, page, events=3)
    assert page.names.count("snapshot") == 1
    assert there.post(f"/chat/answers/{answer}/stop")["code"] == "200"
    follow_to_the_end(here, answer, page)
    assert page.state == "stopped"
    assert there.answer_source(answer).startswith(page.shown)
    # one limit for all, where there is Redis; else one for each process
    passed = [browser.status("/chat/search?q=x") for _ in range(2 * SEARCHES) for browser in (here, there)]
    assert set(passed) == {200, 429}
    assert passed.count(200) == SEARCHES if deployment["REDIS_URL"] else passed.count(200) <= 4 * SEARCHES
    # a change of the settings, made by yet another process, is seen everywhere
    with another(deployment):
        settings_service.change(audit.SYSTEM, {"site_name": "Werkzeuge"})
    for browser in (here, there):
        wait_for(lambda browser=browser: all("Werkzeuge" in browser.get("/privacy") for _ in range(6)))
    # signing out here ends what is open there
    second = HttpBrowser(servers[0].url).sign_in("lin.yue")
    answer = second.ask("y", ENDLESS)["answer"]
    there.cookies, there.opener = second.cookies, second.opener
    stream = there.events(answer)
    assert next(stream).name == "snapshot"
    assert second.post("/logout")["code"] in {"200", "303"}
    assert "done" not in [event.name for event in stream], "it ends, and the answer does not"
    # scheduled work is done by the processes that are there for it, each slot once
    with another(deployment):
        done = wait_for(lambda: runs() if len(runs()) > 8 else None)
        assert {int(run.worker.split("/")[1]) for run in done} <= {each.process.pid for each in schedulers}
        assert len(done) == len({(run.task_id, run.scheduled_for) for run in done})


@contextlib.contextmanager
def another(deployment: dict[str, str]) -> Iterator[None]:
    """Be one more process of the deployment."""
    settings = make_settings(
        Path(deployment["INSTANCE_PATH"]),
        database_url=deployment["DATABASE_URL"],
        redis_url=deployment["REDIS_URL"],
    )
    making = running(settings)
    with next(making).app_context():
        yield
        db.session.remove()
    next(making, None)


def runs() -> list[TaskRun]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(TaskRun).where(TaskRun.worker != "")))
