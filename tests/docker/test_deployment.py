"""A whole deployment from the files in docker/: secrets, database, cache, migration, web, scheduler, proxy, and its end."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.docker.deployment import NAME, Deployment, Process
from tests.docker.image import Image
from tests.processes import wait_for
from tests.services import require

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("image")]


def written(image: Image) -> set[Path]:
    """Return all files of the image."""
    return {path for folder in ("app", "opt") for path in (image.root / folder).rglob("*")}


def fetch(deployment: Deployment, path: str) -> bytes:
    """Return a response as it comes, over TLS with the deployment's own certificate as the only one believed."""
    context = ssl.create_default_context(cafile=str(deployment.docker / "secrets" / "tls" / "fullchain.pem"))
    with (
        socket.create_connection(("127.0.0.1", deployment.https_port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as connection,
    ):
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {NAME}:{deployment.https_port}\r\nConnection: close\r\n\r\n".encode()
        )
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def ended(process: Process) -> None:
    """End it as Docker does, within gunicorn's grace, with nothing left behind."""
    family = [
        psutil.Process(process.process.pid),
        *psutil.Process(process.process.pid).children(recursive=True),
    ]
    assert process.end() < 30
    assert process.process.returncode == 0, process.output[-2000:]
    assert not [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.mariadb
@pytest.mark.redis
def test_from_nothing_to_a_page_and_back(image: Image, tmp_path: Path) -> None:
    before = written(image)
    deployment = Deployment(tmp_path / "deployment", image)
    migrating = deployment.start("migrate")  # before there is a database: it waits
    with contextlib.ExitStack() as stack:
        stack.enter_context(deployment.redis())
        stack.enter_context(deployment.database())
        assert migrating.wait() == 0, migrating.output
        wait_for(lambda: deployment.is_healthy("mysql") and deployment.is_healthy("redis"))
        processes = {name: deployment.start(name) for name in ("web", "scheduler")}
        stack.callback(lambda: [each.end(5) for each in processes.values()])
        for name, process in processes.items():
            wait_for(lambda name=name: deployment.is_healthy(name))  # type: ignore[misc]
            assert process.process.poll() is None, process.output
        processes["proxy"] = stack.enter_context(deployment.proxy())
        wait_for(lambda: deployment.is_healthy("proxy"))

        page = fetch(deployment, "/login")
        assert page.startswith(b"HTTP/1.1 200 OK\r\n"), page[:500]
        assert b"<h1" in page
        assert b"__Host-session" in page
        assert page.count(b"Strict-Transport-Security:") == 1
        ready = fetch(deployment, "/healthz/ready")
        assert b'"database":"ok"' in ready, ready

        check_database_settings(deployment)
        check_migrating_again(deployment)
        assert "Usage:" in deployment.run("flask", "--help")
        for process in processes.values():
            ended(process)
    leaks = [
        path
        for path in deployment.folder.glob("*.log")
        if deployment.secret("secret_key") in path.read_text(errors="replace")
    ]
    assert not leaks
    assert written(image) == before  # nothing but the volume and temporary folders is written to


def check_database_settings(deployment: Deployment) -> None:
    """The server runs with what docker/mysql/conf.d says."""
    names = (
        "character_set_server",
        "innodb_lock_wait_timeout",
        "innodb_flush_log_at_trx_commit",
        "sync_binlog",
        "log_bin",
    )
    rows = deployment.statement("SELECT " + ", ".join(f"@@global.{name}" for name in names))
    assert rows == (("utf8mb4", 5, 1, 1, 1),)


def check_migrating_again(deployment: Deployment) -> None:
    """A migration of what is up to date drops nothing and ends well."""
    count = "SELECT COUNT(*) FROM agent_tools.tasks"
    tasks = deployment.statement(count)
    assert tasks[0][0] > 5
    assert deployment.start("migrate").wait() == 0
    assert deployment.statement(count) == tasks


def run_once(image: Image, instance: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the entry point on a database of the instance folder, and return how it ended."""
    environment = image.environment(
        instance, DATABASE_WAIT_SECONDS="1", PUBLIC_URL="https://tools.example", **settings
    )
    return subprocess.run(
        image.command(*words), env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_what_is_missing_or_weak_is_refused_in_words(image: Image, tmp_path: Path) -> None:
    for secret in ("", "changeme" * 8):
        done = run_once(image, tmp_path, "web", SECRET_KEY=secret)
        assert done.returncode != 0
        assert "SECRET_KEY: production needs at least 32 random characters" in done.stderr + done.stdout
    strong = {"SECRET_KEY": "k9" * 24}
    done = run_once(image, tmp_path, "web", **strong)
    assert (done.returncode, "The tables are not up to date" in done.stderr) == (1, True)
    done = run_once(
        image, tmp_path, "scheduler", DATABASE_URL="mysql://x:hidden-word@127.0.0.1:1/y", **strong
    )
    assert (done.returncode, "The database does not answer" in done.stderr) == (1, True)
    assert "hidden-word" not in done.stderr
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    done = run_once(image, closed, "migrate", **strong)
    assert (done.returncode, "cannot be written" in done.stderr) == (1, True)
    done = run_once(image, tmp_path, "sh", "-c", "echo $0; id -u", **strong)
    assert done.stdout.split() == ["sh", str(os.getuid())]


def test_the_end_may_come_while_it_waits(image: Image, tmp_path: Path) -> None:
    require("setpriv")
    settings = image.environment(
        tmp_path,
        SECRET_KEY="k9" * 24,
        PUBLIC_URL="https://x.example",
        DATABASE_URL="mysql://x:y@127.0.0.1:1/z",
    )
    waiting = Process(image.command("web"), settings, tmp_path / "log")
    below = wait_for(lambda: psutil.Process(waiting.process.pid).children(recursive=True))
    assert waiting.end(10) < 10
    wait_for(lambda: not [each for each in below if each.is_running()])
