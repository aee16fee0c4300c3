"""The page of one's data: take it along, or have it deleted."""

from __future__ import annotations

from flask import flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user, logout_user

from webapp.accounts import service
from webapp.accounts.forms import DeleteForm
from webapp.accounts.rules import DELETION_GRACE
from webapp.accounts.views.blueprint import blueprint
from webapp.lib import clock
from webapp.web import cookies
from webapp.web.guards import fresh
from webapp.web.limits import limit


@blueprint.get("/profile/data")
def your_data() -> ResponseReturnValue:
    """Offer both."""
    return _page(DeleteForm(formdata=None))


@blueprint.post("/profile/data/export")
@limit("export_own_data")
@fresh
def export_data() -> ResponseReturnValue:
    """Send everything about the person as a ZIP file."""
    name = f"{current_user.username}-{clock.utc_now():%Y-%m-%d}.zip"
    file = service.export(current_user)
    return send_file(file, mimetype="application/zip", as_attachment=True, download_name=name)


@blueprint.post("/profile/data/delete")
@limit("password_change")
@fresh
def delete_account() -> ResponseReturnValue:
    """Have the account deleted after the days of grace."""
    form = DeleteForm()
    if not form.validate_on_submit():
        return _page(form), 422
    service.ask_deletion(current_user)
    logout_user()
    cookies.end_user()
    flash(_("Your account will be deleted in 7 days. Sign in before then if you want to keep it."), "info")
    return redirect(url_for("accounts.login"), 303)


def _page(form: DeleteForm) -> str:
    due = clock.utc_now() + DELETION_GRACE
    return render_template("accounts/data.html", tab="data", form=form, due=due)
