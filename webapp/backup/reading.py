"""Reading a backup from its beginning to its end, with everything checked on the way."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from webapp.backup import rows, rules
from webapp.backup.archive import ArchiveReader, Entry
from webapp.backup.errors import BackupError, BrokenBackupError
from webapp.backup.keys import Prints
from webapp.backup.rules import Kind, Reason


@dataclass(frozen=True, slots=True)
class Header:
    """What a backup says about itself at its beginning."""

    revision: str
    database: str
    made_at: dt.datetime
    reason: Reason
    prints: Prints


@dataclass(slots=True)
class Contents:
    """What was read."""

    header: Header
    tables: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    files: int = 0
    file_bytes: int = 0
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The number of rows in all tables."""
        return sum(self.tables.values())


class Taker(Protocol):
    """What is done with what is read; nothing may be kept before `read_through` has returned."""

    def begin(self, header: Header) -> None:
        """Take the header."""

    def table(self, name: str, columns: rows.Columns) -> None:
        """Take the beginning of a table."""

    def rows(self, name: str, columns: rows.Columns, lines: list[bytes], where: str) -> None:
        """Take some lines of it."""

    def file(self, name: str, pieces: Iterable[bytes]) -> int:
        """Take an uploaded file, all pieces of it, and return its size."""


class Checker:
    """Takes everything and only looks at it."""

    def begin(self, header: Header) -> None:
        """Look at nothing more."""

    def table(self, name: str, columns: rows.Columns) -> None:
        """Look at nothing more."""

    def rows(self, name: str, columns: rows.Columns, lines: list[bytes], where: str) -> None:  # noqa: ARG002
        """See whether each line is a row."""
        for line in lines:
            rows.from_line(line, columns, where)

    def file(self, name: str, pieces: Iterable[bytes]) -> int:  # noqa: ARG002
        """Read it."""
        return sum(len(piece) for piece in pieces)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open the file of a backup."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}.") from None
    with file:
        yield file


def read_header(path: Path, passphrase: str = "") -> Header:
    """Read only the beginning of a backup."""
    with opened(path) as file:
        for entry in ArchiveReader(file, passphrase):
            return _header(entry)
    raise BrokenBackupError("The backup is empty.")


def read_through(path: Path, passphrase: str, taker: Taker, say: Callable[[str], None]) -> Contents:
    """Hand everything to the taker; raises BrokenBackupError that names the first entry that is wrong."""
    with opened(path) as file:
        archive = ArchiveReader(file, passphrase)
        reader, manifest = _Reader(taker, say), None
        for entry in archive:
            if manifest is not None:
                raise BrokenBackupError(f"{entry.name} stands behind the end of the backup.")
            if entry.name == rules.MANIFEST:
                manifest = entry.read_json()
            else:
                reader.take(entry)
        if manifest is None:
            raise BrokenBackupError(f"The backup is cut off after {reader.last or 'its beginning'}.")
        contents = reader.finished()
        _compare(contents, manifest, archive)
        return contents


class _Reader:
    """Keeps the place in the archive: which table, which part."""

    def __init__(self, taker: Taker, say: Callable[[str], None]) -> None:
        self._taker, self._say = taker, say
        self._contents: Contents | None = None
        self._table, self._columns, self._part = "", list[tuple[str, Kind]](), 0
        self._digest = hashlib.sha256()
        self.last = ""

    def take(self, entry: Entry) -> None:
        """Take the next entry."""
        if self._contents is None:
            header = _header(entry)
            self._contents = Contents(header)
            self._taker.begin(header)
        elif match := rules.TABLE_ENTRY.fullmatch(entry.name):
            self._take_of_table(entry, match[1], match[2])
        elif rules.UPLOAD_ENTRY.fullmatch(entry.name):
            self._end_table()
            self._contents.file_bytes += self._taker.file(entry.name, entry.pieces())
            self._contents.files += 1
        elif match := rules.KEY_ENTRY.fullmatch(entry.name):
            self._end_table()
            self._contents.keys[match[1]] = entry.read().decode()
        else:
            raise BrokenBackupError(f"{entry.name!r} does not belong into a backup.")
        self.last = entry.name

    def finished(self) -> Contents:
        """Return what was read."""
        if self._contents is None:
            raise BrokenBackupError("The backup is empty.")
        self._end_table()
        return self._contents

    def _take_of_table(self, entry: Entry, name: str, rest: str) -> None:
        assert self._contents is not None  # noqa: S101 - the header is first
        if rest == rules.COLUMNS:
            self._end_table()
            if name in self._contents.tables:
                raise BrokenBackupError(f"{entry.name} comes a second time.")
            self._table, self._part, self._digest = name, 0, hashlib.sha256()
            self._columns = rows.columns_from(entry.read_json(), entry.name)
            self._contents.tables[name] = 0
            self._taker.table(name, self._columns)
            return
        self._part += 1
        if name != self._table or rest != f"{self._part:06}.jsonl":
            raise BrokenBackupError(f"{entry.name} is out of place: something before it is missing.")
        data = entry.read()
        lines = data.split(b"\n")[:-1]
        self._digest.update(data)
        self._taker.rows(name, self._columns, lines, entry.name)
        self._contents.tables[name] += len(lines)

    def _end_table(self) -> None:
        if self._table and self._contents is not None:
            self._contents.digests[self._table] = self._digest.hexdigest()
            self._say(f"{self._table}: {self._contents.tables[self._table]:,} rows")
            self._table = ""


def _header(entry: Entry) -> Header:
    if entry.name != rules.HEADER:
        raise BrokenBackupError(f"It begins with {entry.name!r}: this is no backup of {rules.PROGRAM}.")
    values = entry.read_json()
    try:
        if values["program"] != rules.PROGRAM:
            raise BrokenBackupError(f"This is no backup of {rules.PROGRAM}.")
        if values["format"] != rules.FORMAT:
            raise BackupError(
                f"The backup has the format {values['format']}; this version reads {rules.FORMAT}."
            )
        return Header(
            revision=str(values["revision"]),
            database=str(values["database"]),
            made_at=dt.datetime.fromisoformat(values["made_at"]),
            reason=Reason(values["reason"]),
            prints=Prints.from_json(values["key_prints"]),
        )
    except (KeyError, TypeError, ValueError):
        raise BrokenBackupError(f"{rules.HEADER} is not what was written.") from None


def _compare(contents: Contents, manifest: Any, archive: ArchiveReader) -> None:
    try:
        for name, told in manifest["tables"].items():
            read = contents.tables.get(name)
            if read != told["rows"] or contents.digests.get(name) != told["sha256"]:
                raise BrokenBackupError(
                    f"The table {name} has {read} rows instead of {told['rows']}, or others."
                )
        if (manifest["entries"], manifest["sha256"]) != (archive.sums.entries, archive.sums.digest):
            raise BrokenBackupError("Entries are missing, or not those that were written.")
    except (KeyError, TypeError, AttributeError):
        raise BrokenBackupError(f"{rules.MANIFEST} is not what was written.") from None
