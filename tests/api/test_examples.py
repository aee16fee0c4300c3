"""The examples of docs/api.md run as they stand there, against the real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.calling import api_token
from tests.conftest import make_settings, running
from tests.people import Person, add_user
from tests.servers import Server, serving
from tests.services import require
from webapp.config import ROOT
from webapp.identity.rules import Scope

DOCUMENT = (ROOT / "docs" / "api.md").read_text()


def examples(language: str) -> list[str]:
    """Return the blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, template_database: Path
) -> Iterator[tuple[Server, Person, dict[str, str]]]:
    """A server, somebody with an account, and the environment of the examples."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copy(template_database, folder / "agent-tools.db")
    for app in running(make_settings(folder)):
        person = add_user(app, "lin.yue", "Lin Yue")
        token = api_token(app, person, Scope.PROFILE_READ, Scope.MODELS)["Authorization"].split()[1]
    with serving(folder, SCRIPTED_MODELS="true", LOCAL_MODEL="off") as server:
        yield server, person, {**os.environ, "AGENT_TOOLS_URL": server.url, "AGENT_TOOLS_TOKEN": token}


@pytest.mark.slow
def test_curl(served: tuple[Server, Person, dict[str, str]]) -> None:
    _server, person, environment = served
    require("curl")
    (script,) = [each for each in examples("sh") if each.startswith("curl")]
    done = subprocess.run(
        ["bash", "-euc", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    me, answer = (json.loads(line) for line in done.stdout.split("\n") if line)
    assert me["data"]["username"] == person.username
    assert answer["code"] == "200"
    assert answer["data"]["text"]


@pytest.mark.slow
def test_python(served: tuple[Server, Person, dict[str, str]]) -> None:
    _server, person, environment = served
    (script,) = examples("python")
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    name, *models = done.stdout.splitlines()
    assert name == person.username
    assert "scripted-echo" in models
