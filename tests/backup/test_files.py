"""The file of a backup: what is in it, and that no damage to it goes unseen."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.backup.deployments import call
from tests.people import add_user
from webapp.accounts.models import User
from webapp.audit import service as audit
from webapp.audit.models import AuditEntry
from webapp.backup import encryption
from webapp.backup.encryption import DecryptingReader, EncryptingWriter
from webapp.backup.errors import BrokenBackupError
from webapp.database import db
from webapp.settings import service as settings_service

PHRASE = "correct horse battery staple"


@pytest.fixture
def filled(app: Flask, instance: Path) -> Flask:
    """An application with some people and pictures."""
    for number in range(4):
        add_user(app, f"person.{number}", "林月 🌙\n\r\x00 | " + "é" * 20)
    (instance / "uploads" / "avatars").mkdir(parents=True)
    for number in range(3):
        picture = random.Random(number).randbytes(90_000)
        (instance / "uploads" / "avatars" / f"picture{number}.webp").write_bytes(picture)
    (instance / "uploads" / "avatars" / ".draft.part").write_bytes(b"half")
    return app


@pytest.fixture
def phrase(tmp_path: Path) -> Path:
    path = tmp_path / "phrase"
    path.write_text(PHRASE + "\n")
    return path


def people(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(User)) or 0


def test_a_backup_is_whole_private_and_recorded(filled: Flask, tmp_path: Path, instance: Path) -> None:
    path = tmp_path / "one.tar.gz"
    code, output = call(filled, "create", str(path))
    assert code == 0, output
    assert "users: 4 rows" in output
    assert "uploads: 3 files" in output
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir() if "part" in each.name] == []
    assert list((instance / "run").glob("backup-*")) == []
    code, output = call(filled, "verify", str(path))
    assert code == 0, output
    assert "3 files" in output
    assert "Whole: " in output
    with filled.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.event == "backup:made")).one()
        assert entry.target_name == "one.tar.gz"
    assert call(filled, "create", str(path)) == (1, f"Error: {path} exists already.\n")


def test_keys_and_clear_secrets_are_never_in_it(filled: Flask, tmp_path: Path, instance: Path) -> None:
    with filled.app_context():
        settings_service.change(audit.SYSTEM, {"zhipuai_api_key": "idid.secret77"})
    path = tmp_path / "one.tar.gz"
    assert call(filled, "create", str(path))[0] == 0
    inside = gzip.decompress(path.read_bytes())
    assert b"idid.secret77" not in inside
    assert (instance / "encryption_keys").read_bytes() not in inside
    assert filled.config["SECRET_KEY"].encode() not in inside
    code, output = call(filled, "create", str(tmp_path / "two.tar.gz"), "--with-keys")
    assert (code, "encrypted backup only" in output) == (1, True)
    assert not (tmp_path / "two.tar.gz").exists()


@pytest.mark.parametrize("encrypted", [False, True])
def test_no_damage_goes_unseen(filled: Flask, tmp_path: Path, phrase: Path, *, encrypted: bool) -> None:
    """Bytes that changed and ends that are missing, at random places: verify says no, and restore changes nothing."""
    path = tmp_path / "one"
    extra = ["--passphrase-file", str(phrase)] if encrypted else []
    assert call(filled, "create", str(path), *extra)[0] == 0
    whole, chance = path.read_bytes(), random.Random(26)
    damaged = [whole[: chance.randrange(len(whole))] for _ in range(4)] + [whole[:-1], whole[:5]]
    damaged += [
        whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :]
        for place in [chance.randrange(10, len(whole)) for _ in range(6)]
    ]
    for number, content in enumerate(damaged):
        path.write_bytes(content)
        code, output = call(filled, "verify", str(path), *extra)
        assert code == 1, (number, output)
        assert "Error: " in output, number
    code, output = call(filled, "restore", "--replace", str(path), *extra)
    assert code == 1, output
    assert people(filled) == 4


def test_damage_names_the_first_broken_entry(filled: Flask, tmp_path: Path) -> None:
    path = tmp_path / "one.tar.gz"
    assert call(filled, "create", str(path))[0] == 0
    inside = bytearray(gzip.decompress(path.read_bytes()))
    with tarfile.open(fileobj=io.BytesIO(inside)) as tar:
        entry = tar.getmember("tables/users/000001.jsonl")
    inside[entry.offset_data + 40] ^= 1
    path.write_bytes(gzip.compress(bytes(inside)))
    code, output = call(filled, "verify", str(path))
    assert (code, output.splitlines()[-1]) == (1, "Error: tables/users/000001.jsonl is not what was written.")


@pytest.mark.parametrize(
    "without", ["tables/users/000001.jsonl", "uploads/avatars/picture1.webp", "manifest.json"]
)
def test_a_missing_entry_is_missed(filled: Flask, tmp_path: Path, without: str) -> None:
    path = tmp_path / "one.tar.gz"
    assert call(filled, "create", str(path))[0] == 0
    rewritten(path, leave_out=without)
    code, output = call(filled, "verify", str(path))
    assert code == 1, output
    code, output = call(filled, "restore", "--replace", str(path))
    assert code == 1, output
    assert people(filled) == 4


@pytest.mark.parametrize(
    "name", ["uploads/../../evil", "/etc/evil", "uploads/avatars/../evil.webp", "notes.txt"]
)
def test_names_that_lead_elsewhere_are_refused(filled: Flask, tmp_path: Path, name: str) -> None:
    path = tmp_path / "one.tar.gz"
    assert call(filled, "create", str(path))[0] == 0
    rewritten(path, rename={"uploads/avatars/picture1.webp": name})
    code, output = call(filled, "restore", "--replace", str(path))
    assert code == 1
    assert "does not belong into a backup" in output
    assert people(filled) == 4


def rewritten(path: Path, leave_out: str = "", rename: dict[str, str] | None = None) -> None:
    """Write an archive anew with an entry less or elsewhere, as somebody with tools could."""
    out = io.BytesIO()
    with (
        tarfile.open(path) as old,
        tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as new,
    ):
        for entry in old.getmembers():
            if entry.name != leave_out:
                file = old.extractfile(entry)
                entry.name = (rename or {}).get(entry.name, entry.name)
                new.addfile(entry, file)
    path.write_bytes(out.getvalue())


def test_encryption_hides_everything_and_wants_its_passphrase(
    filled: Flask, tmp_path: Path, phrase: Path
) -> None:
    path, wrong = tmp_path / "one.enc", tmp_path / "wrong"
    wrong.write_text("another one")
    code, output = call(filled, "create", str(path), "--passphrase-file", str(phrase))
    assert code == 0, output
    assert b"person.3" not in path.read_bytes()
    assert call(filled, "verify", str(path), "--passphrase-file", str(phrase))[0] == 0
    code, output = call(filled, "verify", str(path))
    assert (code, output) == (1, "Error: The backup is encrypted: give the passphrase (--passphrase-file).\n")
    code, output = call(filled, "verify", str(path), "--passphrase-file", str(wrong))
    assert (code, output) == (1, "Error: The passphrase is another one, or the file is damaged.\n")


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_encrypted_pieces_can_neither_be_cut_off_nor_exchanged(size: int) -> None:
    clear, out = random.Random(size).randbytes(size), io.BytesIO()
    writer = EncryptingWriter(out, PHRASE, cost=(4, 8, 1))
    for start in range(0, size, 10_000):
        writer.write(clear[start : start + 10_000])
    writer.close()
    sealed = out.getvalue()
    assert io.BufferedReader(DecryptingReader(io.BytesIO(sealed), PHRASE)).read() == clear
    piece = encryption.PIECE_BYTES + encryption.TAG_BYTES
    start = encryption.HEAD_BYTES
    wrong = [sealed[:end] for end in range(start, len(sealed), piece)] + [sealed[:-1], sealed + b"x"]
    if size > 2 * encryption.PIECE_BYTES:
        first, second = sealed[start : start + piece], sealed[start + piece : start + 2 * piece]
        wrong.append(sealed[:start] + second + first + sealed[start + 2 * piece :])
    for each in wrong:
        with pytest.raises(BrokenBackupError):
            io.BufferedReader(DecryptingReader(io.BytesIO(each), PHRASE)).read()
