"""Fixtures for tests of models: a fake upstream, and every adapter that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.running import FakeUpstream, fake_upstream
from tests.llm.adapters import ADAPTERS, Adapter


@pytest.fixture(scope="session")
def upstream() -> Iterator[FakeUpstream]:
    """A fake that all tests of a process share; each test has its own keys."""
    with fake_upstream() as running:
        yield running


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest, upstream: FakeUpstream, tmp_path: Path) -> Adapter:
    """Each adapter that reads from a socket."""
    return ADAPTERS[request.param](upstream, tmp_path)
