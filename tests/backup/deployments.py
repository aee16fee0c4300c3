"""Deployments for the tests of backups: a folder, a database, and the program's commands in processes of their own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from tests.conftest import SECRET, make_settings, running
from webapp.app import create_app
from webapp.config import ROOT, Settings
from webapp.extensions import db

KEYS = ("encryption_keys", "secret_key")


@dataclass(frozen=True)
class Deployment:
    """An instance folder and the database that belongs to it."""

    folder: Path
    url: str = ""

    def settings(self, **overrides: object) -> Settings:
        return make_settings(self.folder, database_url=self.url, backup_schedule="off", **overrides)

    @contextlib.contextmanager
    def open(self, **overrides: object) -> Iterator[Flask]:
        yield from running(self.settings(**overrides))

    @contextlib.contextmanager
    def bare(self, **overrides: object) -> Iterator[Flask]:
        """Only the application; the database may not have any tables."""
        app = create_app(self.settings(**overrides))
        yield app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "SECRET_KEY": SECRET,
            "INSTANCE_PATH": str(self.folder),
            "DATABASE_URL": self.url,
            "LOCAL_MODEL": "off",
            "LOG_TO_FILE": "false",
        }

    def flask(
        self, *words: str, prefix: tuple[str, ...] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the program in a process of its own."""
        command = [*prefix, sys.executable, "-m", "flask", "--app", "wsgi", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment | variables, capture_output=True, text=True, check=False
        )

    def take_keys(self, other: Deployment) -> None:
        """Bring the keys of secrets over, as the documentation says."""
        self.folder.mkdir(exist_ok=True)
        shutil.copy(other.folder / "encryption_keys", self.folder / "encryption_keys")


def call(app: Flask, *words: str) -> tuple[int, str]:
    """Run `flask backup …` in this process, and return its exit code and all it says."""
    result = app.test_cli_runner().invoke(args=["backup", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output
