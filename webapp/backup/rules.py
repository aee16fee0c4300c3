"""What a backup is called, what is in it, and how much of it is in memory at a time.

A backup is a tar archive, compressed by gzip and, where there is a passphrase, encrypted (`encryption.py`). Its entries,
in this order: `header.json` · for each table `tables/NAME/columns.json`, then `tables/NAME/000001.jsonl` and so on,
a JSON array a row · `uploads/…` · `keys/…`, only where they were asked for · `manifest.json`. Each entry carries its
SHA-256 in the extended header `AGENTTOOLS.sha256`; the manifest has the sums of all, so that nothing can be missing.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

FORMAT: Final = 1
PROGRAM: Final = "Agent Tools"
HEADER: Final = "header.json"
MANIFEST: Final = "manifest.json"
COLUMNS: Final = "columns.json"
DIGEST: Final = "AGENTTOOLS.sha256"

PART_BYTES: Final = 1_048_576  # rows are collected up to this size
FETCHED_ROWS: Final = 500
LARGEST_PART_BYTES: Final = (
    256 * 1_048_576
)  # a single row can be large; nothing that was written here is larger
COPIED_BYTES: Final = 262_144

TABLE_ENTRY: Final = re.compile(r"tables/([a-z][a-z0-9_]{0,63})/(columns\.json|\d{6,}\.jsonl)")
UPLOAD_ENTRY: Final = re.compile(
    r"uploads/(?:[A-Za-z0-9_-]{1,64}/){0,3}[A-Za-z0-9_-]{1,128}(?:\.[A-Za-z0-9]{1,8})?"
)
KEY_ENTRY: Final = re.compile(r"keys/(encryption_keys|secret_key|audit_key)")

NAME: Final = re.compile(
    r"agent-tools-(\d{8}T\d{6}Z)-(manual|scheduled|migration)-[0-9a-f]{4}\.tar\.gz(\.enc)?"
)
MIGRATION_KEPT: Final = 3

# Without a row in these a database holds nothing that anybody would miss: the rest the program makes by itself.
PRECIOUS: Final = ("users", "admins", "settings", "conversations", "providers")


class Reason(StrEnum):
    """Why a backup was made; part of its name."""

    MANUAL = "manual"
    SCHEDULED = "scheduled"
    MIGRATION = "migration"


class Kind(StrEnum):
    """How a column's values are written."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    MOMENT = "moment"  # ISO 8601 with microseconds, in UTC
    DAY = "day"
    DECIMAL = "decimal"  # as text, so that no digit is lost
    FLOAT = "float"
    BYTES = "bytes"  # base64
