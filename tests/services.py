"""What tests need from the machine: private database and cache servers, Chromium, the embedded model.

A test that needs something this machine has not is left out, and the run's last lines say so; with
REQUIRE_SERVICES=1 it fails instead, so that a run meant to be whole cannot pass with holes.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pymysql
import pytest
import sqlalchemy as sa

from webapp.llm.local import weights

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = "Not on this machine: "
SYSTEM_FOLDERS = os.pathsep.join(["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin"])
SERVER_SECONDS = 60
# Tests that share a costly server run in one process of pytest-xdist; else each process would start its own.
SHARED = ("mariadb", "redis", "browser", "model")


def require(what: str, *binaries: str) -> str:
    """Return the path of the first of these programs that exists; else leave the test out, or fail it."""
    paths = (
        shutil.which(name, path=folders) for name in binaries or (what,) for folders in (None, SYSTEM_FOLDERS)
    )
    found = next(filter(None, paths), None)
    return found or missing(what)


def missing(what: str) -> NoReturn:
    """Leave the test out because of something this machine has not; fail it where nothing may be left out."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"{what} is missing, and REQUIRE_SERVICES=1 says it must not be.", pytrace=False)
    pytest.skip(LEFT_OUT + what)


@dataclass
class MariaDB:
    """A private server: on a port of its own, with its data in a temporary folder."""

    port: int

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"mysql://root@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str) -> None:
        """Run one statement as the server's owner."""
        connection = pymysql.connect(host="127.0.0.1", port=self.port, user="root", connect_timeout=5)
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds, as the server's owner."""
        connection = pymysql.connect(host="127.0.0.1", port=self.port, user="root", connect_timeout=5)
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def create(self) -> str:
        """Make an empty database and return its name."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return name


def mariadb_command(home: Path, port: int, *, durable: bool = False) -> list[str]:
    """Make an empty data folder in the home, and return the command of a server on it; durable as in production."""
    server = require("mariadbd", "mariadbd", "mysqld")
    installer = require("mariadb-install-db", "mariadb-install-db", "mysql_install_db")
    data = home / "data"
    data.mkdir()
    as_root = ["--user=root"] if os.geteuid() == 0 else []
    installing = [installer, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
    subprocess.run(
        [*installing, "--skip-test-db", *as_root], check=True, capture_output=True, timeout=SERVER_SECONDS * 2
    )
    command = [server, "--no-defaults", f"--datadir={data}", f"--socket={home / 's.sock'}", f"--port={port}"]
    command += ["--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-buffer-pool-size=64M"]
    command += ["--skip-log-bin", f"--pid-file={home / 'pid'}", f"--tmpdir={home}"]
    command += ["--character-set-server=utf8mb4", *as_root]
    if not durable:
        command += ["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"]
    return command


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """A private MariaDB, started once; works as root and as anybody else."""
    with mariadb_server(tmp_path_factory.mktemp("mariadb")) as private:
        yield private


@contextmanager
def mariadb_server(home: Path, buffer_pool: str = "64M") -> Iterator[MariaDB]:
    """Run a MariaDB that is quick, and not safe: what it has committed may be lost with the machine."""
    private = MariaDB(free_port())
    command = [*mariadb_command(home, private.port), f"--innodb-buffer-pool-size={buffer_pool}"]
    with running(command, home / "log", lambda: private.execute("SELECT 1")):
        yield private


@pytest.fixture
def mariadb_empty(mariadb: MariaDB) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    name = mariadb.create()
    yield mariadb.url(name)
    mariadb.execute(f"DROP DATABASE {name}")


@pytest.fixture(scope="session")
def mariadb_tables(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database with all migrations applied, shared by the session."""
    from flask_migrate import upgrade

    from tests.conftest import make_settings
    from webapp.app import create_app
    from webapp.extensions import db

    url = mariadb.url(mariadb.create())
    app = create_app(make_settings(tmp_path_factory.mktemp("instance"), database_url=url))
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return url


@pytest.fixture
def mariadb_migrated(mariadb_tables: str) -> Iterator[str]:
    """The URL of a migrated database without rows; emptied again afterwards."""
    yield mariadb_tables
    engine = sa.create_engine(mariadb_tables.replace("mysql://", "mysql+pymysql://"))
    with engine.begin() as connection:
        connection.execute(sa.text("SET foreign_key_checks=0"))
        for table in sa.inspect(connection).get_table_names():
            if table != "alembic_version":
                connection.execute(sa.text(f"DELETE FROM `{table}`"))
    engine.dispose()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a private Redis, started once."""
    port = free_port()
    with redis_server(tmp_path_factory.mktemp("redis"), port):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def redis_server(home: Path, port: int) -> Iterator[None]:
    """Run a Redis that forgets everything when it ends."""
    command = [require("redis-server", "redis-server", "valkey-server"), "--port", str(port)]
    command += ["--bind", "127.0.0.1", "--dir", str(home), "--save", "", "--appendonly", "no"]

    def answers() -> None:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()

    with running(command, home / "log", answers):
        yield


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser for the tests of pages."""
    return require("Chromium", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium_path: str) -> dict[str, Any]:
    """Make Playwright use the machine's own browser; its sandbox does not work for root."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": chromium_path, "args": arguments}


@pytest.fixture(scope="session")
def model_file() -> Path:
    """The demonstration model's file; leaves the test out where it or its engine is not installed."""
    if importlib.util.find_spec("xllamacpp") is None:
        missing("the embedded model's engine (xllamacpp)")
    instance = Path(os.environ.get("INSTANCE_PATH", ROOT / "instance"))
    path = weights.demonstration_file(instance)
    if not path.is_file():
        missing("the embedded model's file (make model)")
    return path


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], log: Path, answers: Callable[[], None]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; the block begins once it answers."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
        try:
            wait_for(answers, server, log)
            yield server
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


def wait_for(answers: Callable[[], None], server: subprocess.Popen[bytes], log: Path) -> None:
    """Call until it raises nothing; a server that ended, or is silent for a minute, is a failure with its log."""
    deadline = time.monotonic() + SERVER_SECONDS
    while True:
        try:
            answers()
        except (OSError, pymysql.Error):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"{server.args!r} did not start:\n{log.read_text(errors='replace')}"
                ) from None
            time.sleep(0.1)
        else:
            return


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test the process it runs in: with its costly server, else with the rest of its file."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            shared = next((name for name in SHARED if item.get_closest_marker(name)), None)
            item.add_marker(pytest.mark.xdist_group(shared or item.nodeid.partition("::")[0]))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say in the very last line what was left out and why."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput") or config.option.collectonly:
        return
    reasons: Counter[str] = Counter()
    for report in reporter.stats.get("skipped", []):
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[text.removeprefix("Skipped: ").removeprefix(LEFT_OUT)] += 1
    reasons["tests that were not asked for"] = len(reporter.stats.get("deselected", []))
    parts = [f"{reason} ({count})" for reason, count in reasons.most_common() if count]
    line = (
        "Left out, with the number of tests: " + "; ".join(parts) + "." if parts else "Nothing was left out."
    )
    reporter.write_line(line)
