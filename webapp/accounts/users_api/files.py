"""Users from a file and into one."""

from __future__ import annotations

from flask import Response, stream_with_context
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from webapp.accounts.administration import exporting, importing
from webapp.accounts.administration.filters import UserFilter
from webapp.accounts.users_api.declaring import FilterFields, routes
from webapp.errors import Conflict
from webapp.lib import clock
from webapp.web.api import Answer, Confirmation, Media, administrator, caller

IMPORT = administrator("users.import")
EXPORT = administrator("users.export")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ExportBody(Confirmation, FilterFields):
    """Which users."""


class ImportRowAnswer(Answer):
    """A row of the file, as it would be taken, and what is wrong with it; `row` counts as a spreadsheet does."""

    row: int
    email: str
    username: str
    name: str
    language: str
    faults: list[str]


class ImportCheckAnswer(Answer):
    """Every row judged."""

    good: bool
    rows: list[ImportRowAnswer]


class ImportAnswer(Answer):
    """How many people are invited."""

    invited: int


@routes.post("/admin/users/import/check", IMPORT, file="file", answer=ImportCheckAnswer, limit="import")
def check_import(file: FileStorage) -> ImportCheckAnswer:
    """Judge every row of a CSV file; nothing is written."""
    rows = importing.judge(_text(file))
    told = [
        ImportRowAnswer(
            row=each.number,
            email=each.email,
            username=each.username,
            name=each.name,
            language=each.language,
            faults=[str(fault) for fault in each.faults],
        )
        for each in rows
    ]
    return ImportCheckAnswer(good=not any(each.faults for each in told), rows=told)


@routes.post("/admin/users/import", IMPORT, file="file", answer=ImportAnswer, limit="import", refusals=(409,))
def carry_out_import(file: FileStorage) -> ImportAnswer:
    """Invite everybody in a CSV file, or nobody where one row has a fault."""
    text = _text(file)
    faulty = [row.number for row in importing.judge(text) if row.faults]
    if faulty:
        sentence = _(
            "Nothing was imported: rows %(rows)s cannot be. Have the file checked to see why.",
            rows=", ".join(str(number) for number in faulty[:20]),
        )
        raise Conflict(sentence, field="file", code="import_faulty")
    return ImportAnswer(invited=importing.carry_out(text, actor=caller().person))


@routes.post("/admin/users/export/csv", EXPORT, body=ExportBody, answer=Media("text/csv"), limit="export")
def export_csv(body: ExportBody) -> Response:
    """Take the users as a CSV file, the oldest account first; no cell can run as a formula."""
    chosen = _noted(body, "csv")
    lines = stream_with_context(exporting.csv_lines(chosen))
    return _attached(Response(lines, mimetype="text/csv"), "csv")


@routes.post("/admin/users/export/xlsx", EXPORT, body=ExportBody, answer=Media(XLSX), limit="export")
def export_xlsx(body: ExportBody) -> Response:
    """Take the users as a workbook."""
    chosen = _noted(body, "xlsx")
    return _attached(Response(exporting.pieces(exporting.xlsx_file(chosen)), mimetype=XLSX), "xlsx")


def _text(file: FileStorage) -> str:
    return importing.decoded(file.stream.read(importing.IMPORT_MAX_BYTES + 1))


def _noted(body: ExportBody, kind: str) -> UserFilter:
    """Return the filter, once it is recorded who takes what away."""
    chosen = body.chosen
    exporting.note_export(chosen, kind, actor=caller().person)
    return chosen


def _attached(response: Response, kind: str) -> Response:
    name = f"users-{clock.utc_now():%Y-%m-%d}.{kind}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
