"""The services of docker/compose.yaml as processes of this machine: their settings, scripts and checks, on other ports."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql

from tests.docker import compose
from tests.docker.image import SYSTEM_PATH, Image
from tests.services import free_port, require, running

NAME = "tools.example"
NOBODY = 65_534


class Deployment:
    """One deployment in a folder of its own."""

    def __init__(self, folder: Path, image: Image) -> None:
        self.folder, self.image = folder, image
        self.docker = folder / "docker"
        shutil.copytree(compose.FOLDER, self.docker)
        self.https_port, self.http_port = free_port(), free_port()
        self.ports = {name: free_port() for name in ("mysql", "redis", "web")}
        self.instance = folder / "instance"
        self.instance.mkdir()
        subprocess.run(["sh", str(self.docker / "make-secrets.sh"), f"{NAME}:{self.https_port}"], check=True)
        for name, default in (("database_url", "mysql:3306"), ("redis_url", "redis:6379")):
            path = self.docker / "secrets" / name
            here = f"127.0.0.1:{self.ports[default.partition(':')[0]]}"
            text = path.read_text().replace(default, here)
            path.chmod(0o644)
            path.write_text(text)

    def secret(self, name: str) -> str:
        """Return a secret."""
        return (self.docker / "secrets" / name).read_text()

    def service(self, name: str) -> dict[str, Any]:
        """Return a service with the variables of .env filled in and the files of the secrets where they are here."""
        lines = (self.docker / ".env").read_text().splitlines()
        variables = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        filled: dict[str, Any] = compose.fill(compose.services()[name], variables)
        for variable, value in filled.get("environment", {}).items():
            filled["environment"][variable] = value.replace("/run/secrets", str(self.docker / "secrets"))
        return filled

    def settings(self, name: str) -> dict[str, str]:
        """Return the whole environment of a service of ours."""
        own = {"HOST": "127.0.0.1", "PORT": str(self.ports["web"])}
        return self.image.environment(self.instance, **self.service(name)["environment"], **own)

    def start(self, name: str) -> Process:
        """Start a service of ours by its command."""
        command = self.image.command(*self.service(name)["command"])
        return Process(command, self.settings(name), self.folder / f"{name}.log")

    def run(self, *words: str) -> str:
        """Run a command in a container of its own, as `docker compose run --rm web ...` does, and return what it says."""
        command = self.image.command(*words)
        done = subprocess.run(
            command, env=self.settings("web"), capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def is_healthy(self, name: str) -> bool:
        """Carry out a service's own health check."""
        kind, *words = self.service(name)["healthcheck"]["test"]
        words = [word.replace("/app/", f"{self.image.root}/app/") for word in words]
        words = [word.replace("127.0.0.1:8080", f"127.0.0.1:{self.http_port}") for word in words]
        if kind == "CMD-SHELL":
            words = ["sh", "-c", words[0].replace("/run/secrets", str(self.docker / "secrets"))]
            words[2] = words[2].replace("redis-cli", f"redis-cli -p {self.ports['redis']}")
        if words[0] == "mysqladmin":
            words.append(f"--port={self.ports['mysql']}")
        environment = self.settings("web") if words[0] == "python" else {"PATH": SYSTEM_PATH}
        return (
            subprocess.run(words, env=environment, capture_output=True, check=False, timeout=30).returncode
            == 0
        )

    @contextlib.contextmanager
    def database(self) -> Iterator[None]:
        """Run a database server with our configuration, made ready as the image of MySQL does it."""
        data = self.folder / "mysql"
        data.mkdir()
        as_root = ["--user=root"] if os.geteuid() == 0 else []
        installer = require("mariadb-install-db", "mariadb-install-db", "mysql_install_db")
        first = [installer, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
        subprocess.run([*first, "--skip-test-db", *as_root], check=True, capture_output=True, timeout=120)
        command = [require("mariadbd", "mariadbd", "mysqld")]
        command += [f"--defaults-file={self.docker / 'mysql' / 'conf.d' / 'agent-tools.cnf'}", *as_root]
        command += [f"--datadir={data}", f"--socket={data / 's.sock'}", f"--port={self.ports['mysql']}"]
        command += ["--bind-address=127.0.0.1", f"--pid-file={data / 'pid'}", "--innodb-buffer-pool-size=64M"]
        with running(command, self.folder / "mysql.log", lambda: self.statement("SELECT 1") and None):
            wanted = self.service("mysql")["environment"]
            user, name = wanted["MYSQL_USER"], wanted["MYSQL_DATABASE"]
            self.statement(f"CREATE DATABASE {name}")
            password = Path(wanted["MYSQL_PASSWORD_FILE"]).read_text()
            self.statement(f"CREATE USER '{user}'@'%' IDENTIFIED BY '{password}'")
            self.statement(f"GRANT ALL ON {name}.* TO '{user}'@'%'")
            yield

    def statement(self, sql: str) -> Any:
        """Return the rows of a statement, as the server's owner."""
        connection = pymysql.connect(
            host="127.0.0.1", port=self.ports["mysql"], user="root", connect_timeout=5
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    @contextlib.contextmanager
    def redis(self) -> Iterator[None]:
        """Run Redis by its script."""
        require("redis-server")
        script = self.docker / "redis" / "start.sh"
        settings = {
            "PATH": SYSTEM_PATH,
            "REDIS_RUN_FOLDER": str(self.folder),
            "REDIS_PASSWORD_FILE": str(self.docker / "secrets" / "redis_password"),
        }
        process = Process(
            ["sh", str(script), "--port", str(self.ports["redis"])], settings, self.folder / "redis.log"
        )
        try:
            yield
        finally:
            process.end()

    @contextlib.contextmanager
    def proxy(self) -> Iterator[Process]:
        """Run nginx by its script."""
        settings = self.service("proxy")["environment"]
        settings |= {"UPSTREAMS": f"127.0.0.1:{self.ports['web']}"}
        ports = {"HTTP_LISTEN": f"127.0.0.1:{self.http_port}", "HTTPS_LISTEN": f"127.0.0.1:{self.https_port}"}
        with nginx(
            self.docker / "secrets" / "tls", self.folder / "nginx.log", **settings, **ports
        ) as process:
            yield process


@contextlib.contextmanager
def nginx(tls: Path, log: Path, **settings: str) -> Iterator[Process]:
    """Run nginx by its script, as a user without rights, as in the container."""
    program = Path(require("nginx"))
    home = Path(tempfile.mkdtemp(prefix="proxy-"))  # not in pytest's folder, which only its owner may enter
    try:
        shutil.copytree(compose.FOLDER / "nginx", home / "nginx")
        shutil.copytree(tls, home / "tls")
        (home / "run").mkdir()
        command = ["sh", str(home / "nginx" / "start.sh")]
        if os.geteuid() == 0:
            home.chmod(0o755)
            log.touch()
            for path in (home / "run", log):  # the log as well: what is standard output is opened again
                os.chown(path, NOBODY, NOBODY)
            command = [
                require("setpriv"),
                f"--reuid={NOBODY}",
                f"--regid={NOBODY}",
                "--clear-groups",
                "--no-new-privs",
                *command,
            ]
        environment = {
            "PATH": f"{program.parent}:{SYSTEM_PATH}",
            "TLS_FOLDER": str(home / "tls"),
            "RUN_FOLDER": str(home / "run"),
            **settings,
        }
        process = Process(command, environment, log)
        try:
            yield process
        finally:
            process.end(20)
    finally:
        shutil.rmtree(home)


class Process:
    """A program that is ended as Docker ends it."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """Return what it has said."""
        return self.log.read_text(errors="replace")

    def wait(self, seconds: float = 120) -> int:
        """Wait until it ends by itself; return its exit code."""
        return self.process.wait(seconds)

    def end(self, grace_seconds: float = 40) -> float:
        """Send TERM to the first process alone, and return the seconds it took; kills what needs longer."""
        if self.process.poll() is not None:
            return 0.0
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        return time.monotonic() - began
