"""docker/Dockerfile, read: what it takes, who runs it, what it may not do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docker import dockerfile
from tests.services import require
from webapp.config import ROOT

STAGES = ("build", "run")


def test_copies_only_what_reaches_the_builder() -> None:
    sources = [
        each for stage in STAGES for line in dockerfile.of(stage, "COPY") for each in line.split()[:-1]
    ]
    own = [each for each in sources if not each.startswith(("--from", "/"))]
    assert "webapp" in own
    for source in own:
        found = list(ROOT.glob(source))
        assert found, source
        for path in found:
            assert dockerfile.reaches_the_builder(path.relative_to(ROOT).as_posix()), path
    for kept in (
        ".env",
        "docker/.env",
        "docker/secrets/secret_key",
        "instance/secret_key",
        ".git/config",
        "tests/x.py",
    ):
        assert not dockerfile.reaches_the_builder(kept), kept
    assert not dockerfile.reaches_the_builder("webapp/translations/zh_CN/LC_MESSAGES/messages.mo")
    assert not dockerfile.reaches_the_builder("webapp/web/__pycache__/x.cpython-313.pyc")


def test_what_runs_has_no_rights() -> None:
    words = [line.word for line in dockerfile.lines() if line.stage == "run"]
    assert dockerfile.of("run", "USER") == ["10001:10001"]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert words[words.index("USER") :].count("RUN") == 0
    assert "ADD" not in {line.word for line in dockerfile.lines()}


def test_no_secret_is_built_in_and_production_is_the_default() -> None:
    settings = dockerfile.environment("run")
    assert settings["APP_PROFILE"] == "production"
    assert not [name for name in settings if "SECRET" in name or "PASSWORD" in name or "KEY" in name]
    assert {line.rest.partition("=")[0] for line in dockerfile.lines() if line.word == "ARG"} == {
        "PYTHON_IMAGE",
        "EXTRAS",
    }


def test_the_commands_of_the_image_exist() -> None:
    entrypoint = json.loads(dockerfile.of("run", "ENTRYPOINT")[0])
    check = json.loads(dockerfile.of("run", "HEALTHCHECK")[0].partition("CMD ")[2])
    for command in (entrypoint, check):
        assert (ROOT / command[-1].removeprefix("/app/")).is_file()
    assert json.loads(dockerfile.of("run", "CMD")[0]) == ["web"]


def test_every_set_of_packages_is_locked_with_hashes() -> None:
    """S5: what the image and the tests install comes with its hash, or not at all."""
    lists = sorted(ROOT.glob("requirements*.txt"))
    assert {path.name for path in lists} >= {
        "requirements.txt",
        "requirements-celery.txt",
        "requirements-build.txt",
    }
    for path in lists:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        entries = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        assert entries, path.name
        for entry in entries:
            assert "==" in entry.split()[0], entry
            assert "--hash=sha256:" in entry, entry


@pytest.mark.skipif(os.geteuid() != 0, reason="Not on this machine: the right to make users")
def test_the_user_is_made_and_owns_its_folder(tmp_path: Path) -> None:
    """prepare.sh, with the system's own tools led to another root."""
    root, programs = tmp_path / "root", tmp_path / "bin"
    (root / "etc").mkdir(parents=True)
    programs.mkdir()
    for name in ("passwd", "group", "shadow", "gshadow"):
        (root / "etc" / name).touch()
    shutil.copy("/etc/login.defs", root / "etc")
    for name in ("groupadd", "useradd"):
        wrapper = programs / name
        wrapper.write_text(f'#!/bin/sh\nexec {require(name)} --prefix {root} "$@"\n')
        wrapper.chmod(0o755)
    script = (ROOT / "docker" / "prepare.sh").read_text().replace("/var/lib/agent-tools", f"{root}/home")
    variables = {"PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin"}
    subprocess.run(["sh", "-c", script, "prepare.sh", "celery"], check=True, env=variables)
    assert (root / "etc" / "passwd").read_text().startswith("agent-tools:x:10001:10001:")
    assert "nologin" in (root / "etc" / "passwd").read_text()
    facts = (root / "home").stat()
    assert (facts.st_uid, facts.st_gid, facts.st_mode & 0o777) == (10001, 10001, 0o700)
