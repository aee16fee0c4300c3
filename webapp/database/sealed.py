"""Secrets in the database: encrypted with keys that are not in it (Fernet: AES-128-CBC with HMAC-SHA256).

The first key seals, every key opens, so that keys can be changed one after the other: `flask crypto rotate`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Column, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from webapp.config import deployment_settings
from webapp.extensions import db


class SealedText(TypeDecorator[str]):
    """A text that is encrypted on its way into the database and decrypted on its way out.

    What was sealed with a key that is gone reads as None, so that a lost key costs the secret and not the page.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Leave room for long secrets on MySQL and MariaDB."""
        return dialect.type_descriptor(mysql.LONGTEXT() if dialect.name in {"mysql", "mariadb"} else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Encrypt."""
        return None if value is None else seal(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Decrypt."""
        return None if value is None else unseal(value)


def seal(text: str) -> str:
    """Return the text encrypted with the first key."""
    return _cipher().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str | None:
    """Return the text, or None where no key in force opens it."""
    try:
        return _cipher().decrypt(sealed.encode()).decode()
    except (InvalidToken, ValueError):
        return None


def sealed_columns() -> Iterator[Column[str]]:
    """Yield every column of the program that holds secrets."""
    for table in db.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, SealedText):
                yield column


def keys_in_force() -> list[str]:
    """Return the keys, the one that seals first; those of the file as it is now, so that all processes follow it."""
    settings = deployment_settings()
    text = settings.encryption_keys.get_secret_value()
    if settings.keys_file is not None:
        with contextlib.suppress(OSError):
            text = _text_of(settings.keys_file, settings.keys_file.stat().st_mtime_ns)
    return split_keys(text)


def split_keys(text: str) -> list[str]:
    """Return the keys of a comma-separated list."""
    return [key.strip() for key in text.split(",") if key.strip()]


def _cipher() -> MultiFernet:
    return _cipher_of(tuple(keys_in_force()))


@lru_cache(maxsize=8)
def _text_of(path: Path, _changed_at: int) -> str:
    return path.read_text()


@lru_cache(maxsize=8)
def _cipher_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
