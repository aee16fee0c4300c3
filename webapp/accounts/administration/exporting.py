"""The list of users as a file: read in pieces and sent in pieces, so that memory does not grow with the list."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from itertools import chain
from typing import IO, Any, Final

from sqlalchemy import select

from webapp.accounts.administration.filters import UserFilter
from webapp.accounts.administration.listing import COLUMNS
from webapp.accounts.models import User
from webapp.accounts.rules import NEVER
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.config import current_settings
from webapp.database import db
from webapp.lib import offload
from webapp.lib.csv_lines import BYTE_ORDER_MARK, csv_line

HEADINGS: Final = (
    "email",
    "username",
    "name",
    "state",
    "verified",
    "joined_at",
    "last_seen_at",
    "last_login_at",
)
ROWS_AT_ONCE: Final = 1_000
BYTES_AT_ONCE: Final = 65_536


def note_export(chosen: UserFilter, kind: str, *, actor: Any) -> None:
    """Record that somebody takes the list away, before the first line is sent."""
    audit.record_alone(Event.USERS_EXPORTED, actor=actor, after={"format": kind, "filter": chosen.values})


def csv_lines(chosen: UserFilter) -> Iterator[str]:
    """Yield the file as CSV, some lines at a time; no cell can run as a formula."""
    yield BYTE_ORDER_MARK + csv_line(HEADINGS)
    for rows in _batches(chosen):
        yield "".join(csv_line(row) for row in rows)


def xlsx_file(chosen: UserFilter) -> IO[bytes]:
    """Write a workbook to a file that is gone once it is closed; every cell is a text, whatever it begins with."""
    import xlsxwriter

    folder = current_settings().instance_path / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by whoever sends it
    try:
        book = xlsxwriter.Workbook(
            file,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "tmpdir": str(folder),
            },
        )
        sheet = book.add_worksheet("users")
        number, heading = 0, [tuple(HEADINGS)]
        for rows in chain([heading], _batches(chosen)):
            number = offload.run(_write_rows, sheet, number, rows)
        offload.run(book.close)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file piece by piece, and close it."""
    with file:
        while piece := file.read(BYTES_AT_ONCE):
            yield piece


def _batches(chosen: UserFilter) -> Iterator[list[tuple[str, ...]]]:
    """Yield rows, the oldest account first; no connection is held while a piece is on its way to the reader."""
    conditions, last = chosen.conditions(), 0
    while True:
        query = select(*COLUMNS).where(*conditions, User.id > last).order_by(User.id).limit(ROWS_AT_ONCE)
        rows = db.session.execute(query).all()
        db.session.rollback()
        if not rows:
            return
        last = rows[-1].id
        yield [_cells(row) for row in rows]


def _cells(row: Any) -> tuple[str, ...]:
    return (
        row.email,
        row.username,
        row.display_name,
        row.state,
        "yes" if row.verified_at else "no",
        _moment(row.created_at),
        _moment(None if row.last_seen_at == NEVER else row.last_seen_at),
        _moment(row.last_login_at),
    )


def _moment(moment: dt.datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def _write_rows(sheet: Any, number: int, rows: list[tuple[str, ...]]) -> int:
    for row in rows:
        for column, text in enumerate(row):
            sheet.write_string(number, column, text)
        number += 1
    return number
