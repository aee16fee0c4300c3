"""Adding users: one by a form, many by a file, always by an invitation."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.accounts import states
from webapp.accounts.admin.blueprint import blueprint
from webapp.accounts.admin.forms import ActForm, ImportForm, InviteForm
from webapp.accounts.admin.listing import LIST
from webapp.accounts.administration import importing
from webapp.errors import AppError, Invalid
from webapp.web.guards import current_admin, needs
from webapp.web.limits import limit


@blueprint.route("/new", methods=["GET", "POST"])
@needs("users.change")
def invite() -> ResponseReturnValue:
    """Invite one person."""
    form = InviteForm()
    if form.validate_on_submit():
        try:
            user = states.invite(
                actor=current_admin,
                email=form.email.data,
                username=form.username.data,
                display_name=form.display_name.data or "",
                locale=form.locale.data or None,
            )
        except AppError as error:
            form.apply_error(error)
        else:
            flash(_("The invitation to %(address)s is on its way.", address=user.email), "success")
            return redirect(url_for("dashboard.users.person", user_id=user.public_id), 303)
    return render_template("accounts/admin/invite.html", form=form), 422 if form.errors else 200


@blueprint.route("/import", methods=["GET", "POST"])
@needs("users.import")
@limit("import")
def import_file() -> ResponseReturnValue:
    """Judge every row of a file; nothing is written."""
    form = ImportForm()
    if form.validate_on_submit():
        try:
            if not form.file.data:
                raise Invalid(_("Choose a file first."), field="file")
            text = importing.decoded(form.file.data.stream.read(importing.IMPORT_MAX_BYTES + 1))
            return _judgement(text)
        except AppError as error:
            form.apply_error(error)
    page = render_template(
        "accounts/admin/import.html",
        form=form,
        columns=importing.COLUMNS,
        most_rows=importing.IMPORT_MAX_ROWS,
        most_kb=importing.IMPORT_MAX_BYTES // 1000,
    )
    return page, 422 if form.errors else 200


@blueprint.post("/import/apply")
@needs("users.import")
@limit("import")
def apply_import() -> ResponseReturnValue:
    """Invite everybody in the file, or nobody."""
    text = request.form.get("text", "")
    try:
        count = importing.carry_out(text, actor=current_admin)
    except AppError as error:
        if error.code != "import_changed":
            raise
        return _judgement(text, error)
    words = ngettext("%(num)s person is invited.", "%(num)s people are invited.", count)
    flash(words, "success")
    return redirect(url_for(LIST, state="invited", sort="joined"), 303)


def _judgement(text: str, error: AppError | None = None) -> ResponseReturnValue:
    rows = importing.judge(text)
    wrong = sum(bool(row.faults) for row in rows)
    form = ActForm(formdata=None)
    if error is not None:
        form.apply_error(error)
    page = render_template("accounts/admin/import_rows.html", rows=rows, wrong=wrong, text=text, form=form)
    return page, 422 if wrong or error else 200
