"""`flask doctor`: what it looks at, what it refuses with --deploy, and that a production start does the same."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.conftest import SECRET, make_settings, running
from tests.people import add_admin
from tests.servers import serving
from tests.services import free_port
from webapp.config import ROOT, Settings, unsafe
from webapp.database import db
from webapp.doctor import deployment_faults
from webapp.identity import service as identity

SAFE: dict[str, object] = {
    "profile": "production",
    "secret_key": "a-key-" + "k" * 40,
    "public_url": "https://tools.example.com",
    "proxy_count": 1,
    "mail_server": "smtp.example.com",
    "rate_limits": True,
    "scripted_models": False,
    "redis_url": "redis://:a-long-password@redis:6379/0",
    "database_url": "mysql://tools:a-long-password@db/tools",
    "web_concurrency": 2,
}
RED_LINES = [
    ({"profile": "local"}, "APP_PROFILE"),
    ({"trusted_hosts": ("*",)}, "TRUSTED_HOSTS"),
    ({"trusted_hosts": (".example.com",)}, "TRUSTED_HOSTS"),
    ({"proxy_count": 0}, "PROXY_COUNT"),
    ({"database_url": "mysql://tools@db/tools"}, "DATABASE_URL"),
    ({"database_url": "mysql://tools:tools@db/tools"}, "DATABASE_URL"),
    ({"database_url": "mysql://tools:ChangeMe@db/tools"}, "DATABASE_URL"),
    ({"database_url": "mysql://root:a-long-password@db/tools"}, "DATABASE_URL"),
    ({"redis_url": "redis://redis:6379/0"}, "REDIS_URL"),
    ({"redis_url": ""}, "REDIS_URL"),
    ({"mail_server": ""}, "MAIL_SERVER"),
    ({"rate_limits": False}, "RATE_LIMITS"),
    ({"admins_need_second_factor": "off"}, "ADMINS_NEED_SECOND_FACTOR"),
    ({"backup_schedule": "off"}, "BACKUP_SCHEDULE"),
]


def doctor(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["doctor", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@contextmanager
def opened(instance: Path, **overrides: object) -> Iterator[Flask]:
    yield from running(make_settings(instance, **overrides))


def test_safe_settings_have_nothing_unsafe(instance: Path) -> None:
    assert list(unsafe(make_settings(instance, **SAFE))) == []


@pytest.mark.parametrize(("changed", "name"), RED_LINES)
def test_each_red_line_is_named(instance: Path, changed: dict[str, object], name: str) -> None:
    assert [each.name for each in unsafe(make_settings(instance, **(SAFE | changed)))] == [name]


def test_an_origin_of_everybody_is_refused_by_the_settings_themselves(instance: Path) -> None:
    settings = make_settings(instance, **SAFE).model_copy(update={"api_cors_origins": ("*",)})
    assert [each.name for each in unsafe(settings) if each.refused] == ["API_CORS_ORIGINS"]


def test_deploy_looks_at_tables_administrators_and_files_too(instance: Path) -> None:
    with opened(instance, **(SAFE | {"database_url": "", "web_concurrency": 1, "redis_url": ""})) as app:
        admin = add_admin(app, "mei.chen")
        _, output = doctor(app, "--deploy", "--no-network")
        assert "UNSAFE" not in output
        assert "Nothing unsafe was found." in output
        with app.app_context(), db.engine.begin() as connection:
            change = sa.text("UPDATE admins SET password_hash = :value WHERE id = :id")
            connection.execute(change, {"value": identity.hashed_password("changeme"), "id": admin.id})
        assert doctor_line(app, "UNSAFE administrator: mei.chen has a password that everybody tries first")
        (instance / "secret_key").write_text("x")
        (instance / "secret_key").chmod(0o644)
        assert doctor_line(app, "UNSAFE INSTANCE_PATH: readable by others.")
        app.debug = True
        with app.app_context():
            assert "FLASK_DEBUG" in [fault.name for fault in deployment_faults(app)]
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
        assert doctor_line(app, "UNSAFE DATABASE_URL: at 0001, not ")


def doctor_line(app: Flask, start: str) -> bool:
    code, output = doctor(app, "--deploy", "--no-network")
    return code == 1 and any(line.startswith(start) for line in output.splitlines())


def test_what_is_broken_ends_with_one_and_says_how_to_mend_it(instance: Path, tmp_path: Path) -> None:
    with opened(instance) as app:
        code, output = doctor(app, "--json", "--no-network")
        found = {each["name"]: each for each in json.loads(output)["checks"]}
        assert {
            "database",
            "migrations",
            "clock",
            "disk",
            "mail",
            "models",
            "scheduler",
            "redis",
            "files",
        } <= set(found)
        assert found["database"]["state"] == "ok"
        assert code == (1 if any(each["state"] == "bad" for each in found.values()) else 0)
    (tmp_path / "empty").mkdir()
    with opened(tmp_path / "empty") as app:
        code, output = doctor(app, "--no-network")
        assert code == 1
        assert any(
            line.startswith("BAD  Tables: ") and "flask db upgrade" in line for line in output.splitlines()
        )


def test_a_mail_server_that_is_not_there_is_told(instance: Path) -> None:
    with opened(instance, mail_server="127.0.0.1", mail_port=free_port(), public_url="") as app:
        code, output = doctor(app)
    assert code == 1
    assert "BAD  Mail server: no connection (ConnectionRefusedError)" in output


class Holding(http.server.BaseHTTPRequestHandler):
    """A proxy that holds an answer back until it is whole."""

    upstream = ""

    def do_GET(self) -> None:
        request = urllib.request.Request(
            self.upstream + self.path, headers={"X-Forwarded-For": "203.0.113.9"}
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            body = response.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Iterator[str]:
    instance = tmp_path_factory.mktemp("doctor")
    (instance / "agent-tools.db").write_bytes(template_database.read_bytes())
    with serving(instance) as server:
        yield server.url


def streams(instance: Path, public_url: str) -> dict[str, str]:
    with opened(instance, public_url=public_url) as app:
        _, output = doctor(app, "--json")
    return next(each for each in json.loads(output)["checks"] if each["name"] == "proxy")


@pytest.mark.slow
def test_streams_that_come_bit_by_bit_are_told_from_those_a_proxy_holds_back(
    instance: Path, url: str
) -> None:
    assert streams(instance, url)["state"] == "ok"
    Holding.upstream = url
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Holding) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        held = streams(instance, f"http://127.0.0.1:{proxy.server_port}")
        proxy.shutdown()
    assert (held["state"], held["value"]) == ("bad", "the proxy holds them back")
    assert "proxy_buffering off" in held["fix"]
    gone = streams(instance, f"http://127.0.0.1:{free_port()}")
    assert gone["state"] == "bad"
    assert "Connection refused" in gone["value"]


@pytest.mark.slow
@pytest.mark.parametrize(("password", "starts"), [("root", False), ("a-long-password", True)])
def test_production_does_not_start_with_a_default_password(
    tmp_path: Path, password: str, *, starts: bool
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "INSTANCE_PATH": str(tmp_path),
        "APP_PROFILE": "production",
        "SECRET_KEY": SECRET.replace("test", "real"),
        "PUBLIC_URL": "https://tools.example.com",
        "DATABASE_URL": f"mysql://tools:{password}@127.0.0.1:{free_port()}/tools",
    }
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "--print-config", "wsgi:app"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == starts, done.stderr
    assert ("unsafe: DATABASE_URL: the password is empty, a default" in done.stderr) != starts
    assert "unsafe: MAIL_SERVER: " in done.stderr  # told, and no reason not to start


def test_settings_know_nothing_unsafe_by_their_names_alone(instance: Path) -> None:
    """Every setting that is named as unsafe is one that exists."""
    names = {name for _, name in RED_LINES}
    assert names <= {"APP_PROFILE", *(field.upper() for field in Settings.model_fields)}
    assert instance
