"""Users from a CSV file: every row is judged before anything is written; then all are invited, or none.

A file names addresses and what people are called, nothing else: it can claim no id, no state and no right.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from webapp.accounts import names, states
from webapp.accounts.models import User
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.errors import AppError, Conflict, Invalid
from webapp.identity import service as identity
from webapp.web.locale import LANGUAGES

IMPORT_MAX_BYTES: Final = 400_000
IMPORT_MAX_ROWS: Final = 500
CELL_MAX_LENGTH: Final = 300
COLUMNS: Final = ("email", "username", "name", "language")


@dataclass(slots=True)
class Row:
    """A row of the file, and what is wrong with it."""

    number: int  # as a spreadsheet counts: the heading is 1
    email: str
    username: str
    name: str
    language: str
    faults: list[str] = field(default_factory=list)


def decoded(data: bytes) -> str:
    """Return the text of a file; raises Invalid for one that is too large or no text."""
    if len(data) > IMPORT_MAX_BYTES:
        sentence = _("This file is larger than %(limit)s KB. Split it.", limit=IMPORT_MAX_BYTES // 1000)
        raise Invalid(sentence, field="file", code="import_too_large")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        sentence = _("This file is not UTF-8 text. Save it as “CSV UTF-8” and try again.")
        raise Invalid(sentence, field="file", code="import_not_text") from None
    if "\0" in text:
        raise Invalid(_("This is not a CSV file."), field="file", code="import_not_text")
    return text


def judge(text: str) -> list[Row]:
    """Return every row with its faults; raises Invalid for a file that cannot be read as a whole."""
    if len(text.encode()) > IMPORT_MAX_BYTES:
        raise Invalid(_("This file is too large."), field="file", code="import_too_large")
    rows = list(_rows(text))
    if not rows:
        raise Invalid(_("There is no row below the heading."), field="file", code="import_empty")
    for row in rows:
        _judge_alone(row)
    _judge_together(rows)
    return rows


def carry_out(text: str, *, actor: Any) -> int:
    """Invite everybody in the file and return how many; raises Conflict, and changes nothing, if one row has a fault."""
    rows = judge(text)
    if any(row.faults for row in rows):
        raise _changed_meanwhile()
    try:
        _invite_all(rows, actor)
    except (IntegrityError, Conflict):
        raise _changed_meanwhile() from None
    return len(rows)


@write_transaction
def _invite_all(rows: Sequence[Row], actor: Any) -> None:
    for row in rows:
        states.invite(
            actor=actor,
            email=row.email,
            username=row.username,
            display_name=row.name or row.username,
            locale=row.language or None,
        )
    audit.record(Event.USERS_IMPORTED, actor=actor, after={"invited": len(rows)})


def _rows(text: str) -> Iterator[Row]:
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        heading = [cell.strip().casefold() for cell in next(reader, [])]
        _check_heading(heading)
        for number, cells in enumerate(reader, start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if number > IMPORT_MAX_ROWS + 1:
                sentence = _("This file has more than %(limit)s rows. Split it.", limit=IMPORT_MAX_ROWS)
                raise Invalid(sentence, field="file", code="import_too_long")
            yield _row(number, heading, cells)
    except csv.Error:
        sentence = _("This file cannot be read as CSV: a quotation mark is missing, or a cell is too long.")
        raise Invalid(sentence, field="file", code="import_unreadable") from None


def _check_heading(heading: list[str]) -> None:
    unknown = [name or _("(empty)") for name in heading if name not in COLUMNS]
    if unknown:
        sentence = _(
            "The file has columns that cannot be imported: %(names)s. Allowed are %(allowed)s.",
            names=", ".join(unknown[:5])[:120],
            allowed=", ".join(COLUMNS),
        )
        raise Invalid(sentence, field="file", code="import_columns")
    if "email" not in heading or len(set(heading)) != len(heading):
        sentence = _("The first line has to name the columns, each once, and “email” among them.")
        raise Invalid(sentence, field="file", code="import_columns")


def _row(number: int, heading: list[str], cells: list[str]) -> Row:
    values = dict(zip(heading, (_unquoted(cell) for cell in cells), strict=False))
    email, username, name, language = (values.get(each, "")[:CELL_MAX_LENGTH] for each in COLUMNS)
    row = Row(number, email, username, name, language)
    if len(cells) > len(heading):
        row.faults.append(_("There are more cells than columns."))
    if any(len(cell) > CELL_MAX_LENGTH for cell in cells):
        row.faults.append(_("A cell is too long."))
    return row


def _unquoted(cell: str) -> str:
    """Return a cell without the apostrophe that our own export puts before what could be a formula."""
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and cell[1:2] in "=+-@" and len(cell) > 1 else cell


def _judge_alone(row: Row) -> None:
    try:
        row.email = identity.checked_address(row.email)
    except AppError as error:
        row.faults.append(error.sentence)
        row.username = row.username or "–"
        return
    row.username = row.username or _proposed_username(row.email)
    for check, value in ((names.checked_username, row.username), (names.checked_display_name, row.name)):
        try:
            if value or check is names.checked_username:
                check(value)
        except AppError as error:
            row.faults.append(error.sentence)
    if row.language and row.language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        row.faults.append(_("The language is none of %(known)s.", known=known))


def _judge_together(rows: Sequence[Row]) -> None:
    """Find what is taken: by an earlier row, or by an account there is already."""
    addresses = {row.number: identity.canonical_address(row.email) for row in rows}
    usernames = {row.number: names.canonical_username(row.username) for row in rows}
    taken_addresses = _taken(User.email_canonical, set(addresses.values()))
    taken_usernames = _taken(User.username_canonical, set(usernames.values()))
    first_address: dict[str, int] = {}
    first_username: dict[str, int] = {}
    for row in rows:
        address, username = addresses[row.number], usernames[row.number]
        if not address:
            continue
        if address in taken_addresses:
            row.faults.append(_("There is an account with this address."))
        if username in taken_usernames:
            row.faults.append(_("This user name is taken. Choose another one."))
        if (first := first_address.setdefault(address, row.number)) != row.number:
            row.faults.append(_("The same address stands in row %(number)s.", number=first))
        if (first := first_username.setdefault(username, row.number)) != row.number:
            row.faults.append(_("The same user name stands in row %(number)s.", number=first))


def _taken(column: Any, values: set[str]) -> set[str]:
    return set(db.session.scalars(select(column).where(column.in_(values))))


def _proposed_username(address: str) -> str:
    """Return a user name made of the part before the @."""
    allowed = "".join(sign if sign.isalnum() or sign in ".-_" else "-" for sign in address.partition("@")[0])
    return allowed.lstrip(".-")[:32].ljust(3, "0")


def _changed_meanwhile() -> Conflict:
    sentence = _("Not everybody in the file can be invited any more. Nothing was imported; look at the rows.")
    return Conflict(sentence, code="import_changed")
