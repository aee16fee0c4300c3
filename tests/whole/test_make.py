"""What a newcomer does: a fresh copy of the tree, `make run`, a page; again, and Ctrl-C."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import Program, is_running, program, wait_for
from tests.services import free_port, require
from webapp.config import ROOT

FIRST_START_SECONDS = 900
FORGOTTEN = (
    "LOCAL_MODEL",
    "INSTANCE_PATH",
    "DATABASE_URL",
    "ENV_FILE",
    "WEB_CONCURRENCY",
    "APP_PROFILE",
    "VIRTUAL_ENV",
)


@pytest.fixture(scope="module")
def fresh_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git tracks, and nothing else."""
    require("make")
    tree = tmp_path_factory.mktemp("fresh") / "agent tools"  # a path with a space, as people have
    listed = subprocess.run(
        [require("git"), "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():  # one may be deleted and not committed
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    return tree


@contextmanager
def make_run(tree: Path, name: str, **settings: str) -> Iterator[Program]:
    """Type `make run` in the tree, as somebody whose shell has no settings for it."""
    command = [
        "env",
        *(f"--unset={name}" for name in FORGOTTEN),
        *(f"{key}={value}" for key, value in settings.items()),
    ]
    with program([*command, "make", "run"], cwd=tree, log=tree / f"{name}.log", port=free_port()) as running:
        yield running


@pytest.mark.slow
@pytest.mark.timeout(FIRST_START_SECONDS + 300)
def test_a_fresh_copy_runs(fresh_copy: Path) -> None:
    with make_run(fresh_copy, "first") as first:
        page = first.wait_until_it_answers("/", FIRST_START_SECONDS).decode()
        assert "<h1" in page
        assert b'"database":"ok"' in first.wait_until_it_answers("/healthz/ready")
        assert f"Agent Tools is at {first.url}" in first.output
        secret = (fresh_copy / "instance" / "secret_key").read_text()
        first.press_ctrl_c()

    # Again, without a network: nothing is installed, the same state is found, all processes go.
    nothing = {"PIP_NO_INDEX": "1", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    with make_run(fresh_copy, "second", **nothing) as second:
        second.wait_until_it_answers("/healthz/ready")
        assert "Installing" not in second.output
        assert "Bringing the database" not in second.output
        assert (fresh_copy / "instance" / "secret_key").read_text() == secret
        pids = [each.pid for each in second.family()]
        second.press_ctrl_c()
        wait_for(lambda: not [pid for pid in pids if is_running(pid)])
        assert "Traceback" not in second.output


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.timeout(FIRST_START_SECONDS + 300)
def test_the_embedded_model_comes_along_and_goes(fresh_copy: Path, model_file: Path) -> None:
    del model_file  # asked for, so that a machine that cannot have it leaves this out
    with make_run(fresh_copy, "model") as running:
        running.wait_until_it_answers("/", FIRST_START_SECONDS)
        state = fresh_copy / "instance" / "run" / "local-model.json"
        wait_for(lambda: state.is_file() and '"ready"' in state.read_text())
        model = running.find("llm/local/child.py").pid
        running.press_ctrl_c()
        wait_for(lambda: not is_running(model))
        assert not state.exists()


@pytest.mark.slow
@pytest.mark.timeout(FIRST_START_SECONDS + 300)
def test_settings_of_the_environment(fresh_copy: Path, tmp_path: Path) -> None:
    elsewhere = {"INSTANCE_PATH": str(tmp_path / "state"), "LOCAL_MODEL": "off", "WEB_CONCURRENCY": "2"}
    with make_run(
        fresh_copy, "settings", DATABASE_URL=f"sqlite:///{tmp_path}/other.db", **elsewhere
    ) as running:
        running.wait_until_it_answers("/healthz/ready", FIRST_START_SECONDS)
        workers = [each for each in running.family() if "webapp.serve" in each.cmdline()]
        assert len(workers) == 3  # the master and two
        assert (tmp_path / "other.db").is_file()
        assert (tmp_path / "state" / "secret_key").is_file()
        assert not [each for each in running.family() if "webapp.llm.local" in each.cmdline()]


def test_help_names_every_command() -> None:
    listed = subprocess.run(
        [require("make"), "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for command in (
        "run",
        "test",
        "test-fast",
        "check",
        "bench",
        "model",
        "messages",
        "lock",
        "sbom",
        "clean",
    ):
        assert f"\n{command} " in "\n" + listed
