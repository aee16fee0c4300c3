"""Administrators prove again who they are, before something dangerous is done."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from webapp.accounts.forms import ConfirmForm
from webapp.errors import AppError
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.web.cookies import ADMIN_TOKEN
from webapp.web.guards import ANY_ADMIN, needs
from webapp.web.limits import limit
from webapp.web.redirects import safe_next

blueprint = Blueprint("confirming", __name__)


@blueprint.route("/confirm", methods=["GET", "POST"])
@needs(ANY_ADMIN)
@limit("code_check")
def confirm() -> ResponseReturnValue:
    """Take the password, or a code where two-step sign-in is on, and go back to where that was asked."""
    two_step = identity.second_factor_is_on(Realm.ADMIN, g.admin.id)
    form, status = ConfirmForm(), 200
    if form.validate_on_submit():
        try:
            token = identity.confirm(Realm.ADMIN, g.admin, g.admin_session_id, form.proof.data)
        except AppError as error:
            form.apply_error(error)
            status = error.status
        else:
            session[ADMIN_TOKEN] = token
            return redirect(safe_next(url_for("dashboard.overview.index")), 303)
    form.name_proof(two_step=two_step)
    recovery, target = "recovery" in request.args, safe_next("")
    page = render_template(
        "dashboard/confirm.html", form=form, two_step=two_step, recovery=recovery, next=target
    )
    return page, 422 if form.errors and status == 200 else status
