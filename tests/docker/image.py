"""The image as a folder: what the Dockerfile copies and runs, done here, and programs of it under a container's regime."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.docker import dockerfile
from tests.services import require
from webapp.config import ROOT

BUILD_SECONDS: Final = 600
SYSTEM_PATH: Final = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class Image:
    """The root of what was built."""

    root: Path

    def command(self, *words: str) -> list[str]:
        """Return the command that a container would run for these words, without any right of root's."""
        regime = [require("setpriv"), "--no-new-privs"]
        if os.geteuid() == 0:
            regime += ["--inh-caps=-all", "--bounding-set=-all"]
        return [*regime, "sh", str(self.root / "app" / "docker" / "entrypoint.sh"), *words]

    def environment(self, instance: Path, **settings: str) -> dict[str, str]:
        """Return the environment in a container: that of the Dockerfile, and what is set for this one."""
        own = dockerfile.environment("run")
        path = f"{self.root}/opt/venv/bin:{SYSTEM_PATH}"
        return {**own, "PATH": path, "INSTANCE_PATH": str(instance), "HOME": "/nonexistent", **settings}


def build(root: Path) -> Image:
    """Carry out the stages of the Dockerfile in a folder, and take the right to write there away."""
    app = root / "app"
    app.mkdir(parents=True)
    (root / "opt").mkdir()
    venv.create(root / "base", with_pip=True, symlinks=True)  # the image's own Python has pip
    variables = {"PATH": f"{root}/base/bin:{SYSTEM_PATH}", "HOME": str(Path.home()), "EXTRAS": "celery"}
    for name in (
        "PIP_INDEX_URL",
        "PIP_CONFIG_FILE",
        "PIP_TRUSTED_HOST",
        "PIP_CERT",
        "SSL_CERT_FILE",
        "PIP_CACHE_DIR",
    ):
        if name in os.environ:
            variables[name] = os.environ[name]
    for line in dockerfile.lines():
        if line.word == "COPY" and not line.rest.startswith("--from"):
            _copy(line.rest, root)
        elif line.word == "RUN" and line.stage == "build":
            shell = line.rest.replace("/opt/", f"{root}/opt/")
            subprocess.run(["sh", "-c", shell], cwd=app, env=variables, check=True, timeout=BUILD_SECONDS)
    for path in (root / "app", *(root / "app").rglob("*"), *(root / "opt").rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    return Image(root)


def _copy(rest: str, root: Path) -> None:
    *sources, target = shlex.split(rest)
    place = root / target.lstrip("/") if target.startswith("/") else root / "app" / target
    for source in (path for each in sources for path in ROOT.glob(each)):
        if source.is_dir():
            for file in source.rglob("*"):
                name = file.relative_to(ROOT).as_posix()
                if file.is_file() and dockerfile.reaches_the_builder(name):
                    _copy_file(file, place / file.relative_to(source))
        else:
            is_folder = target.endswith("/") or place.is_dir()
            _copy_file(source, place / source.name if is_folder else place)


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
