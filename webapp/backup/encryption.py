"""Encrypting a backup as it is written: ChaCha20-Poly1305 over pieces of 64 KB, with a key from a passphrase.

    ATBK1 and a line feed · log2 of scrypt's N, r, p (a byte each) · 16 bytes of salt · pieces

Every file has a salt, so a key, of its own; a piece's nonce is its number and whether it is the last one. Pieces can
therefore neither be changed, exchanged nor left off at the end without that being seen.
"""

from __future__ import annotations

import hashlib
import io
import os
from typing import IO, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from webapp.backup.errors import BackupError, BrokenBackupError

MAGIC: Final = b"ATBK1\n"
COST: Final = (17, 8, 1)  # scrypt with N=2^17: 128 MB, some 0.3 s; OWASP's first choice of parameters
DEAREST: Final = (20, 16, 4)  # what a foreign file may ask of us
SALT_BYTES: Final = 16
PIECE_BYTES: Final = 65_536
TAG_BYTES: Final = 16
HEAD_BYTES: Final = len(MAGIC) + len(COST) + SALT_BYTES


class EncryptingWriter(io.RawIOBase):
    """Encrypts what is written to it; `close` writes the last piece and leaves the file below open."""

    def __init__(self, file: IO[bytes], passphrase: str, cost: tuple[int, int, int] = COST) -> None:
        head = MAGIC + bytes(cost) + os.urandom(SALT_BYTES)
        self._file, self._head, self._number, self._waiting = file, head, 0, bytearray()
        self._cipher = _cipher(passphrase, head)
        file.write(head)

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, data: Any) -> int:
        """Take data; whole pieces go on to the file."""
        piece = bytes(data)
        self._waiting += piece
        while len(self._waiting) > PIECE_BYTES:
            self._seal(bytes(self._waiting[:PIECE_BYTES]), last=False)
            del self._waiting[:PIECE_BYTES]
        return len(piece)

    def close(self) -> None:
        """Write the last piece."""
        if not self.closed:
            self._seal(bytes(self._waiting), last=True)
        super().close()

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), piece, self._head))
        self._number += 1


class DecryptingReader(io.RawIOBase):
    """Reads what was encrypted; raises BrokenBackupError where it is not what was written."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        head = file.read(HEAD_BYTES)
        if len(head) != HEAD_BYTES or not head.startswith(MAGIC):
            raise BrokenBackupError("This is not an encrypted backup.")
        self._file, self._head, self._number, self._ready, self._ended = file, head, 0, memoryview(b""), False
        self._cipher = _cipher(passphrase, head)
        self._next = self._file.read(PIECE_BYTES + TAG_BYTES)

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Hand out decrypted data; 0 at the end."""
        room = memoryview(buffer)
        while not self._ready and not self._ended:
            self._open()
        count = min(len(room), len(self._ready))
        room[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _open(self) -> None:
        piece, self._next = self._next, self._file.read(PIECE_BYTES + TAG_BYTES)
        self._ended = not self._next
        try:
            clear = self._cipher.decrypt(_nonce(self._number, last=self._ended), piece, self._head)
        except InvalidTag:
            if self._number == 0:
                raise BrokenBackupError("The passphrase is another one, or the file is damaged.") from None
            where = self._number * PIECE_BYTES
            raise BrokenBackupError(f"The file is damaged or cut off around byte {where:,}.") from None
        self._number += 1
        self._ready = memoryview(clear)


def is_encrypted(file: IO[bytes]) -> bool:
    """Tell by the first bytes of a file that can be rewound."""
    start = file.read(len(MAGIC))
    file.seek(0)
    return start == MAGIC


def _cipher(passphrase: str, head: bytes) -> ChaCha20Poly1305:
    cost = tuple(head[len(MAGIC) : len(MAGIC) + len(COST)])
    if any(wanted > most or wanted < 1 for wanted, most in zip(cost, DEAREST, strict=True)):
        raise BackupError("The file asks for more work than any backup of this program does.")
    log_n, r, p = cost
    key = hashlib.scrypt(
        passphrase.encode(),
        salt=head[-SALT_BYTES:],
        n=2**log_n,
        r=r,
        p=p,
        maxmem=132 * 2**log_n * r * p + 1_048_576,
        dklen=32,
    )
    return ChaCha20Poly1305(key)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
