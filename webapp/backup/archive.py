"""The archive itself, written and read as a stream: a tar, compressed, and encrypted where there is a passphrase."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import tarfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, cast

from webapp.backup import rules
from webapp.backup.encryption import DecryptingReader, EncryptingWriter, is_encrypted
from webapp.backup.errors import BackupError, BrokenBackupError

COMPRESSION: Final = 6
_DAMAGED: Final = (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, UnicodeDecodeError, ValueError)


@dataclass(slots=True)
class Sums:
    """Sums over entries, the same when they are written and when they are read."""

    entries: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    def add(self, name: str, digest: str) -> None:
        """Count an entry in."""
        self.entries += 1
        self._digest.update(f"{name} {digest}\n".encode())

    @property
    def digest(self) -> str:
        """The sum of all."""
        return str(self._digest.hexdigest())


class ArchiveWriter:
    """Writes entries one after the other."""

    def __init__(self, file: IO[bytes], passphrase: str = "") -> None:
        self._sealed = EncryptingWriter(file, passphrase) if passphrase else None
        below = cast("IO[bytes]", self._sealed or file)
        self._gzip = gzip.GzipFile(fileobj=below, mode="wb", compresslevel=COMPRESSION, mtime=0)
        # Any: the list of members, which would keep each of them for ever, is not in the type's description.
        self._tar: Any = tarfile.open(fileobj=self._gzip, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self.sums = Sums()

    def add(self, name: str, data: bytes) -> None:
        """Add an entry."""
        self._add(name, len(data), hashlib.sha256(data).hexdigest(), io.BytesIO(data))

    def add_json(self, name: str, value: object) -> None:
        """Add an entry of JSON."""
        self.add(name, json.dumps(value, ensure_ascii=False, indent=1).encode())

    def add_file(self, name: str, path: Path) -> None:
        """Add a file that nobody changes meanwhile; it is read twice, a piece at a time."""
        with path.open("rb") as file:
            digest, size = hashlib.sha256(), 0
            while piece := file.read(rules.COPIED_BYTES):
                digest.update(piece)
                size += len(piece)
            file.seek(0)
            self._add(name, size, digest.hexdigest(), file)

    def close(self) -> None:
        """Write the ends; the file below stays open."""
        self._tar.close()
        self._gzip.close()
        if self._sealed is not None:
            self._sealed.close()

    def _add(self, name: str, size: int, digest: str, file: IO[bytes]) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, 0o600, int(time.time())
        entry.pax_headers = {rules.DIGEST: digest}
        self._tar.addfile(entry, file)
        self._tar.members.clear()
        self.sums.add(name, digest)


@dataclass(slots=True)
class Entry:
    """One entry of an archive that is being read; its data can be taken once, before the next entry is."""

    name: str
    size: int
    _digest: str
    _file: IO[bytes]

    def read(self) -> bytes:
        """Return the data, checked."""
        if self.size > rules.LARGEST_PART_BYTES:
            raise BrokenBackupError(f"{self.name} is too large to be of a backup.")
        return b"".join(self.pieces())

    def read_json(self) -> Any:
        """Return the value, checked."""
        data = self.read()
        with _told_in_words(f"in {self.name}"):
            return json.loads(data)

    def pieces(self) -> Iterator[bytes]:
        """Yield the data; raises BrokenBackupError behind the last piece where it is not what was written."""
        digest, left = hashlib.sha256(), self.size
        while piece := self._piece():
            digest.update(piece)
            left -= len(piece)
            yield piece
        if left or digest.hexdigest() != self._digest:
            raise BrokenBackupError(f"{self.name} is not what was written.")

    def _piece(self) -> bytes:
        with _told_in_words(f"in {self.name}"):
            return self._file.read(rules.COPIED_BYTES)

    @property
    def digest(self) -> str:
        """The sum it was written with."""
        return self._digest


class ArchiveReader:
    """Reads entries one after the other; each must be read whole, so that its sum is checked.

    What is wrong is told as BrokenBackupError that names the entry.
    """

    def __init__(self, file: IO[bytes], passphrase: str = "") -> None:
        if is_encrypted(file):
            if not passphrase:
                raise BackupError("The backup is encrypted: give the passphrase (--passphrase-file).")
            file = cast("IO[bytes]", io.BufferedReader(DecryptingReader(file, passphrase)))
        self._gzip = gzip.GzipFile(fileobj=file, mode="rb")
        self.sums = Sums()
        with _told_in_words("at its beginning"):
            self._tar: Any = tarfile.open(fileobj=self._gzip, mode="r|")  # noqa: SIM115

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries, the manifest last."""
        last = ""
        while (entry := self._next(last)) is not None:
            yield entry
            last = entry.name
            if last != rules.MANIFEST:
                self.sums.add(last, entry.digest)
        with _told_in_words(f"after {last}"):
            while self._gzip.read(rules.COPIED_BYTES):
                pass

    def _next(self, last: str) -> Entry | None:
        with _told_in_words(f"after {last}" if last else "at its beginning"):
            found = self._tar.next()
            self._tar.members.clear()
            if found is None:
                return None
            file = self._tar.extractfile(found) if found.isreg() else None
        if file is None:
            raise BrokenBackupError(f"{found.name} is no plain file.")
        return Entry(found.name, found.size, found.pax_headers.get(rules.DIGEST, ""), file)


@contextlib.contextmanager
def _told_in_words(where: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGED:
        raise BrokenBackupError(f"The backup is damaged or cut off {where}.") from None
