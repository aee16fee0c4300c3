"""Start the whole program on this machine: `python -m webapp.serve`, which `make run` does.

Checks the settings and the port, brings the database up to date, and becomes the server: gunicorn where it
exists, waitress elsewhere. This process imports neither the application nor anything else that opens sockets,
because its workers are forked from it and only then switch to the event loop's sockets.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Final

from webapp.config import ROOT, Settings, SettingsError, load_settings

STOP_SECONDS: Final = 10
WAITRESS_THREADS: Final = 64
_REVISION: Final = re.compile(r"^(down_revision|revision)\b[^=]*= *[\"']?(\w+)", re.MULTILINE)
_ERROR: Final = re.compile(r"[\w.]*(Error|Exception)\b")


class NotStarted(Exception):
    """The server cannot start; the text is a sentence that says what to do."""


class ModelProcess:
    """The embedded model's supervisor: a process that lives as long as one end of a pipe is open here."""

    def __init__(self, settings: Settings) -> None:
        self._instance = settings.instance_path
        self._local_model = settings.local_model
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless the model is turned off."""
        if self._local_model == "off" or self._process is not None:
            return
        command = [sys.executable, "-m", "webapp.llm.local", str(self._instance), self._local_model]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)  # noqa: S603

    def let_go(self) -> None:
        """Close a forked process's copy of the pipe."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    def stop(self) -> None:
        """Close the pipe and wait until the model is gone."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


@cache
def model_process(settings: Settings) -> ModelProcess:
    """Return the one model of these settings; gunicorn reads its configuration anew at each reload."""
    return ModelProcess(settings)


def main() -> int:
    """Start the server, or say in words why not."""
    os.chdir(ROOT)
    try:
        settings = load_settings()
        settings.instance_path.mkdir(parents=True, exist_ok=True)
        check_port(settings)
        migrate(settings)
    except (SettingsError, NotStarted, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if importlib.util.find_spec("gunicorn") is None:
        return serve_with_waitress(settings)
    from gunicorn import __main__ as command
    from gunicorn.app.wsgiapp import WSGIApplication

    sys.argv = [command.__file__, "--config", str(ROOT / "gunicorn.conf.py")]
    WSGIApplication("%(prog)s").run()
    return 0


def bind_address(settings: Settings) -> str:
    """Return host and port as gunicorn wants them."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"


def check_port(settings: Settings) -> None:
    """Raise NotStarted when the address cannot be listened on."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            where = f"Port {settings.port} on {settings.host}"
            if error.errno == errno.EADDRINUSE:
                other = f"PORT={settings.port % 65535 + 1} make run"
                raise NotStarted(
                    f"{where} is in use. Stop the other program, or take another: {other}"
                ) from None
            raise NotStarted(
                f"{where} cannot be listened on: {error.strerror}. PORT and HOST set them."
            ) from None


def migrate(settings: Settings) -> None:
    """Bring the database up to date, in a process of its own; raises NotStarted when that fails.

    An SQLite file that is up to date is recognised without loading the application, which is what makes a
    second start quick.
    """
    if database_revision(settings) == newest_revision():
        return
    sys.stdout.write("Bringing the database up to date ...\n")
    sys.stdout.flush()
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        log = settings.instance_path / "upgrade.log"
        log.write_text(done.stdout, encoding="utf-8")
        errors = [line for line in done.stdout.splitlines() if _ERROR.match(line)] or ["no error was named"]
        raise NotStarted(
            f"The database could not be brought up to date: {errors[-1]}\n"
            f"Is the server of DATABASE_URL up, and may we change its tables? More is in {log}."
        )


def newest_revision(folder: Path = ROOT / "migrations" / "versions") -> str | None:
    """Return the revision among the migration files that no other follows."""
    found = [dict(_REVISION.findall(path.read_text(encoding="utf-8"))) for path in folder.glob("*.py")]
    heads = {names["revision"] for names in found} - {names["down_revision"] for names in found}
    return heads.pop() if len(heads) == 1 else None


def database_revision(settings: Settings) -> str:
    """Return the revision of an SQLite database; nothing for a new one and for other kinds."""
    path = Path(settings.database_uri.removeprefix("sqlite:///"))
    if not settings.database_uri.startswith("sqlite:///") or not path.is_file():
        return ""
    with (
        contextlib.suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as database,
    ):
        rows = database.execute("SELECT version_num FROM alembic_version").fetchall()
        return str(rows[0][0]) if len(rows) == 1 else ""
    return ""


def raise_file_limit() -> None:
    """Allow this process and its workers as many open files as the system permits."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def welcome(settings: Settings, setup_token: str | None = None) -> str:
    """Return what the person is told once the program answers; the token is that of the link to the first administrator."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host  # noqa: S104
    here = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    lines = [f"Agent Tools is at {here}  (Ctrl-C ends it)"]
    if settings.shows_mail:
        lines.append(f"No mail server is set up: mail is shown at {here}/dev/mail")
    if setup_token:
        lines.append(
            f"Make the first administrator (once, within 24 hours): {here}/admin/setup/{setup_token}"
        )
    return "\n".join(lines) + "\n"


def serve_with_waitress(settings: Settings) -> int:
    """Serve with threads, where gunicorn does not exist; good for some dozens of streams."""
    import waitress  # type: ignore[import-untyped]

    from webapp.app import begin_shutdown, create_app, finish_shutdown, setup_token, start_background

    app = create_app(settings)
    model = ModelProcess(settings)
    model.start()
    start_background(app)
    server = waitress.create_server(app, host=settings.host, port=settings.port, threads=WAITRESS_THREADS)
    sys.stdout.write(welcome(settings, setup_token(app)))
    sys.stdout.flush()
    try:
        server.run()
    finally:
        begin_shutdown(app)
        finish_shutdown(app, 0)
        model.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
