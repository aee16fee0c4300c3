"""Every module can be imported first and alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDS_ITS_HOST = {"webapp.llm.local.child"}


def module_names() -> list[str]:
    names = []
    for path in sorted((ROOT / "webapp").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return [name for name in names if name not in NEEDS_ITS_HOST]


@pytest.mark.slow
def test_each_module_imports_first_and_alone() -> None:
    """One process forks a fresh interpreter state for each module: nothing of webapp is loaded before."""
    script = (
        "import os, sys\n"
        "import flask, sqlalchemy.orm, flask_login, flask_babel, flask_wtf, wtforms, pydantic_settings, flask_limiter\n"
        "import flask_sqlalchemy, flask_migrate, alembic.script, flask_apscheduler, flask_mail, email_validator\n"
        "import PIL.Image, PIL.ImageOps, argon2, cryptography.fernet, nh3, markdown_it, pygments.lexers, urllib3\n"
        "import latex2mathml.converter, pymysql, gunicorn.app.base, psutil, httpx, redis, prometheus_client\n"
        "bad = []\n"
        "for name in sys.argv[1:]:\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        try:\n"
        "            __import__(name)\n"
        "        except BaseException as error:\n"
        "            print(name, repr(error), flush=True)\n"
        "            os._exit(1)\n"
        "        os._exit(0)\n"
        "    if os.waitpid(pid, 0)[1]:\n"
        "        bad.append(name)\n"
        "sys.exit(bool(bad))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *module_names()], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_starts_nothing() -> None:
    script = (
        "import threading, webapp.app, sys\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "heavy = {'zhipuai', 'xllamacpp', 'openai', 'celery'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
