"""A running server with the fake upstream behind it, and programs that call it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.api.calling import api_token
from tests.conftest import make_settings, running
from tests.door.orders import ORDERS
from tests.fakes.running import FakeUpstream, fake_upstream
from tests.people import add_user
from tests.processes import wait_for
from tests.servers import Server, serving
from webapp.identity.rules import Scope

PEOPLE = ("lin.yue", "wang.wei", "zhao.liu", "li.na", "zhang.min")


@dataclass
class Door:
    """The server, what stands behind it, and a token of each person."""

    server: Server
    upstream: FakeUpstream
    folder: Path
    tokens: dict[str, str]

    def client(self, name: str = "lin.yue", **more: Any) -> openai.OpenAI:
        """Return the official client, set up as its documentation says."""
        key = more.pop("api_key", self.tokens[name])
        return openai.OpenAI(
            base_url=f"{self.server.url}/v1", api_key=key, **{"max_retries": 0, "timeout": 60, **more}
        )

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with closing(sqlite3.connect(self.folder / "agent-tools.db")) as connection:
            return connection.execute(query, values).fetchall()

    def write(self, statement: str) -> None:
        """Change the database behind the server's back."""
        with closing(sqlite3.connect(self.folder / "agent-tools.db", timeout=20)) as connection:
            connection.execute(statement)
            connection.commit()

    def entries(self, model: str) -> list[tuple[Any, ...]]:
        """Return the entries of a model in the ledger, once all of its calls have one."""
        wait_for(lambda: not self.rows("SELECT 1 FROM running_calls WHERE model = ?", model))
        return self.rows(
            "SELECT ending, prompt_tokens, completion_tokens, estimated, cost_micros, username FROM usage_entries "
            "JOIN users ON users.id = user_id WHERE model = ? ORDER BY usage_entries.id",
            model,
        )


@pytest.fixture(scope="session")
def upstream() -> Iterator[FakeUpstream]:
    """The model's provider."""
    with fake_upstream() as fake:
        yield fake


@pytest.fixture(scope="session")
def door(
    tmp_path_factory: pytest.TempPathFactory, template_database: Path, upstream: FakeUpstream
) -> Iterator[Door]:
    """One server for all tests of a process; each test has models of its own."""
    folder = tmp_path_factory.mktemp("door")
    shutil.copy(template_database, folder / "agent-tools.db")
    tokens = {}
    for app in running(make_settings(folder, log_level="WARNING")):
        for name in PEOPLE:
            person = add_user(app, name, name)
            scopes = [Scope.CHAT] if name == "zhao.liu" else [Scope.MODELS, Scope.CHAT]
            tokens[name] = api_token(app, person, *scopes)["Authorization"].removeprefix("Bearer ")
    with serving(
        folder,
        WEB_CONCURRENCY="2",
        OPENAI_COMPATIBLE_BASE_URL=upstream.openai_url,
        OPENAI_COMPATIBLE_MODELS=",".join(ORDERS.values()),
        LLM_OUTBOUND_ALLOW_HOSTS=upstream.host,
        LLM_FIRST_TOKEN_TIMEOUT_SECONDS="2",
        LLM_IDLE_TIMEOUT_SECONDS="2",
        MODEL_PRICES=f"{ORDERS['plain']}=2/4",
    ) as server:
        yield Door(server, upstream, folder, tokens)
