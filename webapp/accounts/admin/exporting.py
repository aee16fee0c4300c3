"""The list of users as a file."""

from __future__ import annotations

from flask import Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from webapp.accounts.admin import words
from webapp.accounts.admin.blueprint import blueprint
from webapp.accounts.admin.forms import ActForm
from webapp.accounts.admin.listing import list_address
from webapp.accounts.administration import exporting
from webapp.accounts.administration.filters import UserFilter
from webapp.lib import clock
from webapp.web.guards import current_admin, fresh, needs
from webapp.web.limits import limit

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/export")
@needs("users.export")
@fresh
def export_page() -> ResponseReturnValue:
    """Tell what would be exported, and offer the formats."""
    chosen = UserFilter.read(request.args)
    return render_template(
        "accounts/admin/export.html",
        chosen=chosen,
        in_words=words.filter_words(chosen),
        form=ActForm(formdata=None),
        back=list_address(chosen),
        columns=exporting.HEADINGS,
    )


@blueprint.post("/export")
@needs("users.export")
@fresh
@limit("export")
def export() -> ResponseReturnValue:
    """Send the file."""
    chosen = UserFilter.read(request.form)
    kind = "xlsx" if request.form.get("format") == "xlsx" else "csv"
    exporting.note_export(chosen, kind, actor=current_admin)
    if kind == "xlsx":
        response = Response(exporting.pieces(exporting.xlsx_file(chosen)), mimetype=XLSX)
    else:
        response = Response(stream_with_context(exporting.csv_lines(chosen)), mimetype="text/csv")
    name = f"users-{clock.utc_now():%Y-%m-%d}.{kind}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
