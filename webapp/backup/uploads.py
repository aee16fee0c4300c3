"""Uploaded files in a backup: held fast while they are read, and put back without overwriting anything."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from webapp.backup import rules

FOLDER: Final = "uploads"
LEFTOVER_SECONDS: Final = 86_400  # links of a backup that was killed are removed after a day


@contextlib.contextmanager
def held(instance: Path) -> Iterator[Held]:
    """Hold the files of the uploads folder for as long as the block lasts, even if they are deleted meanwhile.

    Files there are never changed, only added and deleted; so links to them are enough.
    """
    for left in (instance / "run").glob("backup-*"):
        if time.time() - left.stat().st_mtime > LEFTOVER_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    place = instance / "run" / f"backup-{secrets.token_hex(4)}"
    holding = Held(instance / FOLDER, place)
    try:
        holding.hold()
        yield holding
    finally:
        shutil.rmtree(place, ignore_errors=True)


class Held:
    """Links to the files of the uploads folder."""

    def __init__(self, folder: Path, place: Path) -> None:
        self._folder, self._place = folder, place

    def hold(self) -> None:
        """Add what is there now; called before and after the moment of the database, it has all that it names."""
        for path in _files(self._folder):
            link = self._place / path.relative_to(self._folder)
            if link.exists():
                continue
            link.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # deleted since
                try:
                    os.link(path, link)
                except FileNotFoundError:
                    raise
                except OSError:  # a file system without links
                    shutil.copyfile(path, link)

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield the name in the archive and the file, in order."""
        for path in sorted(_files(self._place)):
            yield f"{FOLDER}/{path.relative_to(self._place).as_posix()}", path


class Restoring:
    """Puts files back; `undo` takes away those that were not there before."""

    def __init__(self, instance: Path) -> None:
        self._instance = instance
        self._new: list[Path] = []
        self._names: set[str] = set()

    def put(self, name: str, pieces: Iterable[bytes]) -> int:
        """Write a file whole or not at all, and return its size."""
        path = self._instance / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.part")
        try:
            with draft.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
                size = file.tell()
            if not path.exists():
                self._new.append(path)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        self._names.add(name)
        return size

    def undo(self) -> None:
        """Take the new files away again."""
        for path in self._new:
            path.unlink(missing_ok=True)

    def remove_others(self) -> None:
        """Remove what the backup does not have: files of people who are not in the database any more."""
        for path in _files(self._instance / FOLDER):
            name = f"{FOLDER}/{path.relative_to(self._instance / FOLDER).as_posix()}"
            if name not in self._names:
                path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files that are uploads; drafts and whatever else lies there are none of ours."""
    for path in folder.rglob("*"):
        if rules.UPLOAD_ENTRY.fullmatch(f"{FOLDER}/{path.relative_to(folder).as_posix()}") and path.is_file():
            yield path
