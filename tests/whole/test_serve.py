"""The launcher and the server as one process group: how it starts, what it refuses, how it ends."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from werkzeug.exceptions import ClientDisconnected

from tests.conftest import make_settings
from tests.processes import Program, is_running, program, wait_for
from tests.services import free_port
from webapp import serve
from webapp.config import ROOT

SERVE = (sys.executable, "-m", "webapp.serve")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Program]:
    """The program with two workers, without the model."""
    settings = {"INSTANCE_PATH": str(tmp_path / "instance"), "LOCAL_MODEL": "off", "WEB_CONCURRENCY": "2"}
    log = tmp_path / "log"
    with program(
        SERVE, cwd=ROOT, log=log, port=free_port(), ENV_FILE=str(tmp_path / ".env"), **settings
    ) as running:
        running.wait_until_it_answers("/healthz/ready")
        yield running


def exchange(server: Program, request: bytes) -> bytes:
    """Send bytes as they are, and return all that comes back until the server closes."""
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.slow
def test_tells_the_address_and_where_mail_goes(server: Program) -> None:
    wait_for(lambda: server.url in server.output)
    assert f"{server.url}/dev/mail" in server.output
    assert server.output.count("Ctrl-C") == 1


@pytest.mark.slow
def test_a_port_in_use_is_named(server: Program, tmp_path: Path) -> None:
    port = server.url.rpartition(":")[2]
    instance = str(tmp_path / "second")
    log = tmp_path / "second.log"
    with program(
        SERVE, cwd=ROOT, log=log, port=int(port), INSTANCE_PATH=instance, LOCAL_MODEL="off"
    ) as second:
        assert second.process.wait(60) == 1
        assert f"Port {port} on 127.0.0.1 is in use" in second.output
        assert "PORT=" in second.output
        assert "Traceback" not in second.output


@pytest.mark.slow
def test_wrong_settings_are_told_in_words(tmp_path: Path) -> None:
    wrong = {"INSTANCE_PATH": str(tmp_path), "LOCAL_MODEL": "/none.gguf", "LOG_LEVEL": "LOUD"}
    with program(SERVE, cwd=ROOT, log=tmp_path / "log", port=free_port(), **wrong) as running:
        assert running.process.wait(60) == 1
        assert "LOG_LEVEL" in running.output
        assert "Traceback" not in running.output


@pytest.mark.slow
def test_ctrl_c_ends_all_processes_quietly(server: Program) -> None:
    pids = [each.pid for each in server.family()]
    assert len(pids) == 3
    assert server.press_ctrl_c() == 0
    assert not [pid for pid in pids if is_running(pid)]
    assert "Traceback" not in server.output


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGKILL"])
def test_no_worker_outlives_the_master(server: Program, name: str) -> None:
    pids = [each.pid for each in server.family()]
    os.kill(server.process.pid, getattr(signal, name))
    wait_for(lambda: not [pid for pid in pids if is_running(pid)])
    assert "Traceback" not in server.output


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_the_end_may_come_while_it_starts(tmp_path: Path, seconds: float) -> None:
    settings = {"INSTANCE_PATH": str(tmp_path / "instance"), "LOCAL_MODEL": "off", "WEB_CONCURRENCY": "2"}
    port = free_port()
    with program(SERVE, cwd=ROOT, log=tmp_path / "log", port=port, **settings) as running:
        wait_for(lambda: len(running.family()) == 3)
        time.sleep(seconds)  # somewhere between the fork and the first answer
        pids = [each.pid for each in running.family()]
        os.kill(running.process.pid, signal.SIGTERM)
        wait_for(lambda: not [pid for pid in pids if is_running(pid)])
        assert "Traceback" not in running.output


@pytest.mark.slow
def test_a_killed_worker_is_replaced(server: Program) -> None:
    _, first, second = (each.pid for each in server.family())
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: len(server.family()) == 3 and first not in {each.pid for each in server.family()})
    assert server.wait_until_it_answers()
    assert is_running(second)


@pytest.mark.slow
def test_ambiguous_requests_are_refused(server: Program) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    both = head + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    twice = head + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"
    spaced = b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n"
    for request in (both, twice, spaced):
        answer = exchange(server, request)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n"), request
        assert b"Content-Security-Policy: default-src 'none'\r\n" in answer
        assert answer.endswith(b"\r\n\r\nBad Request\n")


@pytest.mark.slow
def test_the_server_names_no_version_and_believes_no_forwarded_header(server: Program) -> None:
    request = b"GET /healthz/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    answer = exchange(server, request + b"X-Forwarded-Proto: https\r\nX_Forwarded_Host: evil\r\n\r\n")
    assert b"Server: agent-tools\r\n" in answer
    assert b"gunicorn" not in answer
    assert b"Strict-Transport-Security" not in answer


@pytest.mark.slow
@pytest.mark.mariadb
def test_it_migrates_and_runs_on_mariadb(mariadb_empty: str, tmp_path: Path) -> None:
    settings = {"INSTANCE_PATH": str(tmp_path), "LOCAL_MODEL": "off", "DATABASE_URL": mariadb_empty}
    with program(SERVE, cwd=ROOT, log=tmp_path / "log", port=free_port(), **settings) as running:
        assert b'"database":"ok"' in running.wait_until_it_answers("/healthz/ready")


@pytest.mark.slow
def test_a_database_that_is_away_is_told_in_words(tmp_path: Path) -> None:
    away = f"mysql://root@127.0.0.1:{free_port()}/nothing"
    settings = {"INSTANCE_PATH": str(tmp_path), "LOCAL_MODEL": "off", "DATABASE_URL": away}
    with program(SERVE, cwd=ROOT, log=tmp_path / "log", port=free_port(), **settings) as running:
        assert running.process.wait(60) == 1
        assert "The database could not be brought up to date: " in running.output
        assert "Can't connect" in running.output
        assert "Traceback" not in running.output


@pytest.mark.slow
def test_without_gunicorn_waitress_serves(tmp_path: Path) -> None:
    hide = "import sys; sys.modules['gunicorn'] = None; from webapp import serve; sys.exit(serve.main())"
    settings = {"INSTANCE_PATH": str(tmp_path), "LOCAL_MODEL": "off"}
    command = (sys.executable, "-c", hide)
    with program(command, cwd=ROOT, log=tmp_path / "log", port=free_port(), **settings) as running:
        assert b"<h1" in running.wait_until_it_answers("/")
        assert f"Agent Tools is at {running.url}" in running.output
        assert running.press_ctrl_c() == 0
        assert "Traceback" not in running.output


def test_a_body_that_stops_arriving_is_the_sender_s_fault() -> None:
    from webapp.worker import BodyReader

    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb", buffering=0) as stream:
        reader = BodyReader(stream)
        theirs.sendall(b"half of it")
        assert reader.read(100) == b"half of it"
        ours.settimeout(0.05)
        with pytest.raises(ClientDisconnected):
            reader.read(100)


def test_the_newest_revision_is_alembic_s(tmp_path: Path) -> None:
    assert serve.newest_revision() == ScriptDirectory(str(ROOT / "migrations")).get_current_head()
    (tmp_path / "one.py").write_text('revision = "a"\ndown_revision = None\n')
    (tmp_path / "two.py").write_text('revision: str = "b"\ndown_revision: str | None = "a"\n')
    assert serve.newest_revision(tmp_path) == "b"
    (tmp_path / "three.py").write_text('revision = "c"\ndown_revision = "a"\n')
    assert serve.newest_revision(tmp_path) is None


def test_the_revision_of_a_database(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    assert serve.database_revision(settings) == ""
    path = tmp_path / "agent-tools.db"
    path.write_bytes(b"no database, but long enough to be looked at" * 10)
    assert serve.database_revision(settings) == ""
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        assert serve.database_revision(settings) == ""
        database.execute("INSERT INTO alembic_version VALUES ('abc')")
    assert serve.database_revision(settings) == "abc"
    other = make_settings(tmp_path, database_url="mysql://root@127.0.0.1/x")
    assert serve.database_revision(other) == ""


@pytest.mark.parametrize(
    ("host", "bind", "address"),
    [
        ("127.0.0.1", "127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("0.0.0.0", "0.0.0.0:5000", "http://127.0.0.1:5000"),
        ("::1", "[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_addresses(tmp_path: Path, host: str, bind: str, address: str) -> None:
    settings = make_settings(tmp_path, host=host)
    assert serve.bind_address(settings) == bind
    assert address in serve.welcome(settings)


def test_no_word_of_mail_where_it_is_sent(tmp_path: Path) -> None:
    assert "/dev/mail" in serve.welcome(make_settings(tmp_path))
    assert "mail" not in serve.welcome(make_settings(tmp_path, mail_server="smtp.example.com"))
