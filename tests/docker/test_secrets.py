"""docker/make-secrets.sh: what a deployment starts from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docker import compose
from tests.services import require
from webapp.config import ROOT


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script as it lies in the folder."""
    return subprocess.run(
        ["sh", str(folder / "make-secrets.sh"), *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the script, since it writes beside itself."""
    require("openssl")
    shutil.copy(ROOT / "docker" / "make-secrets.sh", tmp_path)
    return tmp_path


def test_everything_the_compose_file_names_is_made(folder: Path) -> None:
    done = make(folder, "tools.example.com:8443")
    assert done.returncode == 0, done.stderr
    for about in compose.raw()["secrets"].values():
        assert (folder / about["file"]).is_file(), about
    secrets = {path.name: path.read_text() for path in (folder / "secrets").iterdir() if path.is_file()}
    passwords = [text for name, text in secrets.items() if name.endswith("_password") and text]
    assert len(set(passwords)) == 4
    assert all(len(each) == 64 for each in passwords)
    assert secrets["mysql_password"] in secrets["database_url"]
    assert secrets["redis_password"] in secrets["redis_url"]
    assert not [text for text in passwords if text in done.stdout + done.stderr]
    assert "PUBLIC_URL=https://tools.example.com:8443\n" in (folder / ".env").read_text()
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700


def test_a_second_run_changes_nothing(folder: Path) -> None:
    make(folder, "tools.example.com")
    (folder / "secrets" / "mail_password").chmod(0o600)
    (folder / "secrets" / "mail_password").write_text("typed by the operator")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    before = [path.read_bytes() for path in files]
    assert make(folder, "tools.example.com").returncode == 0
    assert [path.read_bytes() for path in files] == before
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == files


@pytest.mark.parametrize("name", ["", "https://tools.example.com", "a b", "$(id)", "-x"])
def test_what_is_no_name_is_refused(folder: Path, name: str) -> None:
    done = make(folder, name)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage:")
    assert not (folder / "secrets").exists()


def test_a_secret_that_came_out_short_is_refused(folder: Path) -> None:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "secret_key").write_text("short")
    done = make(folder, "tools.example.com")
    assert done.returncode == 1
    assert "secret_key is too short" in done.stderr
