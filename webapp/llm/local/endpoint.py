"""Where the embedded model listens: one small file in the instance folder, written by its supervisor.

The file names the process that wrote it and is worth nothing once that process is gone. It holds the key of
the model's port, so only its owner may read it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from webapp.config import Settings

State = Literal["starting", "ready", "failed", "no_engine", "no_libgomp", "no_weights", "bad_weights"]

FILE: Final = Path("run", "local-model.json")
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class LocalEndpoint:
    """What an OpenAI-compatible client needs to reach the embedded model, and the bounds it should keep."""

    base_url: str
    api_key: str
    model: str
    slots: int
    context_tokens: int
    max_tokens: int
    demonstration: bool


@dataclass(frozen=True, slots=True)
class Record:
    """What a supervisor says of its model."""

    state: State
    pid: int
    boot: str
    detail: str = ""
    endpoint: LocalEndpoint | None = None


def endpoint(settings: Settings) -> LocalEndpoint | None:
    """Return where the embedded model listens, None while it does not; cheap enough for every request."""
    if settings.local_model == "off":
        return None
    record = read(settings.instance_path)
    return record.endpoint if record is not None and record.state == "ready" else None


def publish(instance: Path, state: State, detail: str = "", where: LocalEndpoint | None = None) -> None:
    """Replace the file by what holds now; readers see the old or the new one, never a part."""
    path = instance / FILE
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    record = Record(state, os.getpid(), _boot(), detail, where)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    with os.fdopen(
        os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(asdict(record), file)
    scratch.replace(path)


def withdraw(instance: Path) -> None:
    """Remove the file if this process wrote it."""
    record = _parse(instance / FILE)
    if record is not None and record.pid == os.getpid():
        (instance / FILE).unlink(missing_ok=True)


def read(instance: Path) -> Record | None:
    """Return what a living supervisor last said; None when there is none."""
    path = instance / FILE
    try:
        facts = path.stat()
    except OSError:
        return None
    version = (facts.st_ino, facts.st_mtime_ns)
    known = _cache.get(path)
    if known is None or known[0] != version:
        known = _cache[path] = (version, _parse(path))
    record = known[1]
    return record if record is not None and _is_alive(record) else None


def _parse(path: Path) -> Record | None:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        raw = json.loads(path.read_text(encoding="utf-8"))
        where = raw.pop("endpoint")
        return Record(**raw, endpoint=LocalEndpoint(**where) if where else None)
    return None


def _is_alive(record: Record) -> bool:
    if record.boot != _boot():
        return False
    if sys.platform == "win32":  # there, signal 0 would end the process
        return True
    try:
        os.kill(record.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot() -> str:
    """Name this run of the machine, so that a process id from before a restart says nothing."""
    if "boot" not in _boot_cache:
        _boot_cache["boot"] = _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.is_file() else ""
    return _boot_cache["boot"]


_cache: dict[Path, tuple[tuple[int, int], Record | None]] = {}
_boot_cache: dict[str, str] = {}
