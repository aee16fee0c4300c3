"""A private Redis and a private MariaDB that can be killed, stopped, and started again on their ports."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import redis

from tests.services import MariaDB, free_port, mariadb_command, require, wait_for


class PrivateRedis:
    """A server on a port of its own that keeps nothing on disk; not started yet."""

    def __init__(self, home: Path) -> None:
        self._binary = require("redis-server", "redis-server", "valkey-server")
        self._home = home
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, unless it runs; returns when it answers."""
        if self._process is not None:
            return
        log = self._home / "redis.log"
        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._home)]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--save", "", "--appendonly", "no"], stdout=output, stderr=output
            )
        wait_for(
            lambda: socket.create_connection(("127.0.0.1", self.port), timeout=1).close(), self._process, log
        )

    def kill(self) -> None:
        """End it as the kernel would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None

    def freeze(self) -> None:
        """Let it accept connections and never answer."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def command(self, *words: str | int) -> object:
        """Let it do something, as its operator."""
        with redis.Redis(port=self.port) as client:
            return client.execute_command(*words)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


@contextmanager
def private_redis(home: Path) -> Iterator[PrivateRedis]:
    """Give a Redis that is not running yet, and leave nothing of it behind."""
    server = PrivateRedis(home)
    try:
        yield server
    finally:
        server.kill()


class MortalMariaDB(MariaDB):
    """A server of the test's own, durable as in production; not started yet."""

    def __init__(self, home: Path) -> None:
        super().__init__(free_port())
        self._log = home / "mariadb.log"
        self._command = mariadb_command(home, self.port, durable=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns when it answers."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output)
        wait_for(lambda: self.execute("SELECT 1"), self._process, self._log)

    def kill(self) -> None:
        """End it as the kernel would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None

    def kill_connections(self, name: str) -> int:
        """Kill every connection to a database, wherever it is; return how many there were."""
        with pymysql.connect(host="127.0.0.1", port=self.port, user="root") as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (name,))
            found = [row[0] for row in cursor.fetchall()]
            for number in found:
                with contextlib.suppress(pymysql.Error):  # it may be gone by now
                    cursor.execute(f"KILL {number}")
        return len(found)


@contextmanager
def mortal_mariadb(home: Path) -> Iterator[MortalMariaDB]:
    """Start a MariaDB, and leave nothing of it behind."""
    server = MortalMariaDB(home)
    try:
        server.start()
        yield server
    finally:
        server.kill()
