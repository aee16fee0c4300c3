"""The declarative base and the column types all tables share."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import DateTime, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from webapp.extensions import db
from webapp.lib import clock, ids


class Base(DeclarativeBase):
    """The base of every model."""

    metadata = db.metadata


class UTCDateTime(TypeDecorator[dt.datetime]):
    """An aware time, stored in UTC to the microsecond; the databases themselves keep no zone."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Keep microseconds on MySQL and MariaDB, whose default is whole seconds."""
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """Refuse a naive time, which would be read as UTC whatever was meant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=dt.UTC)


def exact_string(length: int) -> String:
    """Return a string type compared byte for byte, on every database."""
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
    )


def long_text() -> Text:
    """Return a text type without the 64 KB limit that TEXT has on MySQL."""
    return Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


def public_id_column() -> Mapped[str]:
    """Return the column of the random id that pages and programs see."""
    return mapped_column(exact_string(ids.PUBLIC_ID_LENGTH), unique=True, default=ids.public_id)


def created_at_column() -> Mapped[dt.datetime]:
    """Return the column of the moment a row was made."""
    return mapped_column(UTCDateTime, default=clock.utc_now)
