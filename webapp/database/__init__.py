"""The database: base and types, engine behaviour, write transactions, keyset pages."""

from webapp.database.pages import Order, Page, newest_first, sorted_page, sorted_rows
from webapp.database.transactions import after_commit, process_lock, release_session, write_transaction
from webapp.database.types import (
    Base,
    UTCDateTime,
    created_at_column,
    exact_string,
    long_text,
    public_id_column,
)
from webapp.extensions import db

__all__ = [
    "Base",
    "Order",
    "Page",
    "UTCDateTime",
    "after_commit",
    "created_at_column",
    "db",
    "exact_string",
    "long_text",
    "newest_first",
    "process_lock",
    "public_id_column",
    "release_session",
    "sorted_page",
    "sorted_rows",
    "write_transaction",
]
